import { batchesOf, type Ticket, type TicketBatch } from '../outbox/index.js';

/** A job of BullMQ that is to be added. It carries tickets; elsewhere in the library a job is a delivery in memory. */
export interface BullMqJob {
  readonly name: string;
  readonly data: TicketBatch;
  readonly opts: { readonly jobId: string };
}

/** Creates jobs for messages that were released at the same time. The id of a job is made from that of its first message. */
export function jobsFor(tickets: readonly Ticket[]): BullMqJob[] {
  return batchesOf(tickets).map((batch) => ({
    name: 'deliver',
    data: batch,
    opts: { jobId: jobIdOf(batch.tickets[0]!.id) },
  }));
}

// BullMQ keeps numbers and colons for ids of its own; ids of messages have no dots.
function jobIdOf(message: string): string {
  return /^-?\d+$/.test(message) ? `${message}.` : message.replaceAll(':', '..');
}
