import { parcelsOf, type Ticket, type TicketParcel } from '../outbox/index.js';

/** A job to be added. */
export interface NewJob {
  readonly name: string;
  readonly data: TicketParcel;
  readonly opts: { readonly jobId: string };
}

/** Jobs for messages that were released at the same time. The id of a job is that of its first message. */
export function jobsFor(tickets: readonly Ticket[]): NewJob[] {
  return parcelsOf(tickets).map((parcel) => ({
    name: 'deliver',
    data: parcel,
    opts: { jobId: jobIdOf(parcel.tickets[0]!.id) },
  }));
}

// BullMQ keeps numbers for ids of its own.
function jobIdOf(message: string): string {
  return /^-?\d+$/.test(message) ? `msg_${message}` : message;
}
