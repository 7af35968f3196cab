import type { Ticket } from './message-relay.js';

/** What a queue is given, as plain JSON: where messages are, and that they are free. */
export interface TicketParcel {
  /** Another number would mean another shape: who does not know it leaves the messages to the database. */
  readonly version: 1;
  readonly tickets: readonly Ticket[];
}

/** So many messages that were released together go together, as in Thorn. */
const MESSAGES_PER_PARCEL = 10;

/** Parcels for messages that were released at the same time. */
export function parcelsOf(tickets: readonly Ticket[]): TicketParcel[] {
  const parcels: TicketParcel[] = [];
  for (let at = 0; at < tickets.length; at += MESSAGES_PER_PARCEL) {
    parcels.push({ version: 1, tickets: tickets.slice(at, at + MESSAGES_PER_PARCEL) });
  }
  return parcels;
}

/** @throws Error when it is no parcel, or one of another version */
export function ticketsOf(parcel: unknown): readonly Ticket[] {
  const { version, tickets } = (parcel ?? {}) as Partial<TicketParcel>;
  if (version === 1 && Array.isArray(tickets) && tickets.every(isTicket)) return tickets;
  throw new Error('Not of this version of nestjs-thorn; its messages are left to the database');
}

function isTicket(value: unknown): value is Ticket {
  const { id, source, lease } = (value ?? {}) as Partial<Ticket>;
  return typeof id === 'string' && Number.isSafeInteger(source) && typeof lease === 'string';
}
