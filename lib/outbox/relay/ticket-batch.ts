import type { Ticket } from './message-relay.js';

/** What a queue is given, as plain JSON: where messages are, that they are free, and perhaps what they say. */
export interface TicketBatch {
  /**
   * 1: the messages are stored. Contents that come along are passed over by workers that do not know of them.
   * 2: they are not. Who does not know that must not say that it is done.
   *
   * Another number would mean another shape: who does not know it leaves the messages to others.
   */
  readonly version: 1 | 2;
  readonly tickets: readonly Ticket[];
}

/** So many messages that were released together go together, as in Thorn. */
const MESSAGES_PER_PARCEL = 10;
/** And so much of what they say, in characters. */
const CONTENTS_PER_PARCEL = 256 * 1024;

/** Parcels for messages that were released at the same time. */
export function batchesOf(tickets: readonly Ticket[]): TicketBatch[] {
  const stored = tickets.filter(({ isStored }) => isStored !== false);
  const unstored = tickets.filter(({ isStored }) => isStored === false);
  return [
    ...chunksOf(stored).map((chunk): TicketBatch => ({ version: 1, tickets: chunk })),
    ...chunksOf(unstored).map((chunk): TicketBatch => ({ version: 2, tickets: chunk })),
  ];
}

/** @throws Error when it is no parcel, or one of another version */
export function ticketsOf(parcel: unknown): readonly Ticket[] {
  const { version, tickets } = (parcel ?? {}) as Partial<TicketBatch>;
  const isKnown = version === 1 || version === 2;
  if (isKnown && Array.isArray(tickets) && tickets.every(isTicket)) return tickets;
  throw new Error('Not of this version of nestjs-thorn; what is stored of it is found there');
}

/** Characters of the contents that a ticket brings along. */
export function sizeOf({ contents }: Ticket): number {
  return contents?.body.length ?? 0;
}

function chunksOf(tickets: readonly Ticket[]): readonly Ticket[][] {
  const chunks: Ticket[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const ticket of tickets) {
    const more = sizeOf(ticket);
    if (size + more > CONTENTS_PER_PARCEL || chunks.at(-1)!.length === MESSAGES_PER_PARCEL) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)!.push(ticket);
    size += more;
  }
  return chunks;
}

function isTicket(value: unknown): value is Ticket {
  const { id, source, lease, contents } = (value ?? {}) as Partial<Ticket>;
  return (
    typeof id === 'string' &&
    Number.isSafeInteger(source) &&
    typeof lease === 'string' &&
    (contents === undefined || typeof contents === 'object')
  );
}
