import type { Telemetry } from 'bullmq';
import type { Message } from '../message/index.js';
import type { Ticket } from '../outbox/index.js';
import type { NewJob } from './jobs.js';

/** A job that says where in a trace it belongs. */
export interface TracedJob extends NewJob {
  readonly opts: NewJob['opts'] & { readonly telemetry: { readonly metadata: string } };
}

/**
 * Tells BullMQ's telemetry which trace a job belongs to. Messages of many requests go to the queue in one call, so what
 * happens to be active there says nothing.
 */
export class JobTracing {
  /** In the telemetry's terms. */
  readonly #origins = new WeakMap<Ticket, unknown>();

  constructor(private readonly telemetry: Telemetry) {}

  /** Of each message its own trace, and what is active now when it has none. */
  note(messages: readonly Message[], tickets: readonly Ticket[]): void {
    const { contextManager } = this.telemetry;
    const active: unknown = contextManager.active();
    for (const [at, { traceparent, tracestate }] of messages.entries()) {
      const origin: unknown =
        traceparent === null
          ? active
          : // The carrier of W3C Trace Context, which is what `bullmq-otel` has as metadata.
            contextManager.fromMetadata(
              active,
              JSON.stringify({ traceparent, ...(tracestate !== null && { tracestate }) }),
            );
      this.#origins.set(tickets[at]!, origin);
    }
  }

  /** Adds jobs, each under the origin of its first message, and the call under that of the first of all. */
  async add(jobs: readonly NewJob[], add: (jobs: TracedJob[]) => Promise<unknown>): Promise<void> {
    const { contextManager } = this.telemetry;
    const traced = jobs.map((job) => {
      const metadata = contextManager.getMetadata(this.#originOf(job));
      return { ...job, opts: { ...job.opts, telemetry: { metadata } } };
    });
    await contextManager.with(this.#originOf(jobs[0]!), () => add(traced));
  }

  #originOf({ data }: NewJob): unknown {
    return this.#origins.get(data.tickets[0]!);
  }
}
