import type { Ticket } from '../outbox/index.js';

/** What a job holds: where messages are, and that they are free. */
export interface JobData {
  /** Another number would mean another shape: who does not know it leaves the job alone. */
  readonly version: 1;
  readonly tickets: readonly Ticket[];
}

/** So many messages that were released together share a job, as in Thorn. */
const MESSAGES_PER_JOB = 10;

/** A job to be added. */
export interface NewJob {
  readonly name: string;
  readonly data: JobData;
  readonly opts: { readonly jobId: string };
}

/** Jobs for messages that were released at the same time. The id of a job is that of its first message. */
export function jobsFor(tickets: readonly Ticket[]): NewJob[] {
  const jobs: NewJob[] = [];
  for (let at = 0; at < tickets.length; at += MESSAGES_PER_JOB) {
    const chunk = tickets.slice(at, at + MESSAGES_PER_JOB);
    jobs.push({
      name: 'deliver',
      data: { version: 1, tickets: chunk },
      opts: { jobId: jobIdOf(chunk[0]!.id) },
    });
  }
  return jobs;
}

/** @throws Error when the data is no job of ours, or of another version */
export function ticketsOf(data: unknown): readonly Ticket[] {
  const { version, tickets } = (data ?? {}) as Partial<JobData>;
  if (version === 1 && Array.isArray(tickets) && tickets.every(isTicket)) return tickets;
  throw new Error('No job of this version of nestjs-thorn; its messages are left to the database');
}

// BullMQ keeps numbers for ids of its own.
function jobIdOf(message: string): string {
  return /^-?\d+$/.test(message) ? `msg_${message}` : message;
}

function isTicket(value: unknown): value is Ticket {
  const { id, source, lease } = (value ?? {}) as Partial<Ticket>;
  return typeof id === 'string' && Number.isSafeInteger(source) && typeof lease === 'string';
}
