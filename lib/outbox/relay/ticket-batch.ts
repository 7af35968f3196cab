import type { Ticket } from './message-relay.js';

/** Tickets that travel through a queue together, as plain JSON. */
export interface TicketBatch {
  /** A worker refuses batches of a version that it does not know. The database has their messages. */
  readonly version: 1;
  readonly tickets: readonly Ticket[];
}

const TICKETS_PER_BATCH = 10;

/** Groups tickets of messages that were released together into batches of at most ten, in their order. */
export function batchesOf(tickets: readonly Ticket[]): TicketBatch[] {
  const batches: TicketBatch[] = [];
  for (let at = 0; at < tickets.length; at += TICKETS_PER_BATCH) {
    batches.push({ version: 1, tickets: tickets.slice(at, at + TICKETS_PER_BATCH) });
  }
  return batches;
}

/** @throws Error when `batch` is not a batch of tickets, or of another version */
export function ticketsOf(batch: unknown): readonly Ticket[] {
  const { version, tickets } = (batch ?? {}) as Partial<TicketBatch>;
  if (version === 1 && Array.isArray(tickets) && tickets.every(isTicket)) return tickets;
  throw new Error(
    'Not a batch of tickets that this version of nestjs-thorn can read. Workers find its messages in the database',
  );
}

function isTicket(value: unknown): value is Ticket {
  const { id, lease } = (value ?? {}) as Partial<Ticket>;
  return typeof id === 'string' && typeof lease === 'string';
}
