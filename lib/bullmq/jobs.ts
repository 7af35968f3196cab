import { batchesOf, type Ticket, type TicketBatch } from '../outbox/index.js';

/** Nobody but the job has the message: a day of a database that is away, or of workers that are too old. */
const UNTIL_STORED = {
  attempts: 43_200,
  backoff: { type: 'fixed', delay: 2000 },
  stackTraceLimit: 1,
} as const;

/** A job to be added. */
export interface NewJob {
  readonly name: string;
  readonly data: TicketBatch;
  readonly opts: { readonly jobId: string } & Partial<typeof UNTIL_STORED>;
}

/** Jobs for messages that were released at the same time. The id of a job begins with that of its first message. */
export function jobsFor(tickets: readonly Ticket[]): NewJob[] {
  return batchesOf(tickets).map((parcel) => {
    const { id, lease } = parcel.tickets[0]!;
    const jobId = jobIdOf(id);
    return {
      name: 'deliver',
      data: parcel,
      opts:
        parcel.version === 1
          ? { jobId }
          : // BullMQ drops a job whose id it knows, and with it the messages beside the repeated one.
            { jobId: `${jobId}.${lease}`, ...UNTIL_STORED },
    };
  });
}

// BullMQ keeps numbers and colons for ids of its own; ids of messages have no dots.
function jobIdOf(message: string): string {
  return /^-?\d+$/.test(message) ? `${message}.` : message.replaceAll(':', '..');
}
