import type { Telemetry } from 'bullmq';
import type { Message } from '../message/index.js';
import type { Ticket } from '../outbox/index.js';
import type { BullMqJob } from './jobs.js';

/** A job with the trace that it belongs to. */
export interface TracedJob extends BullMqJob {
  readonly opts: BullMqJob['opts'] & { readonly telemetry: { readonly metadata: string } };
}

/**
 * Adds jobs in the traces of their messages. Messages of many requests go to the queue in one call, so the context that is
 * active during that call belongs to one of them at most.
 */
export class JobTracing {
  /** Contexts of the telemetry. */
  readonly #origins = new WeakMap<Ticket, unknown>();

  constructor(private readonly telemetry: Telemetry) {}

  /** Remembers the trace of each message, or the active context for a message without a trace. */
  note(messages: readonly Message[], tickets: readonly Ticket[]): void {
    const { contextManager } = this.telemetry;
    const active: unknown = contextManager.active();
    for (const [at, { traceparent, tracestate }] of messages.entries()) {
      const origin: unknown =
        traceparent === null
          ? active
          : // `bullmq-otel` uses the carrier of W3C Trace Context as metadata.
            contextManager.fromMetadata(
              active,
              JSON.stringify({ traceparent, ...(tracestate !== null && { tracestate }) }),
            );
      this.#origins.set(tickets[at]!, origin);
    }
  }

  /** Adds jobs, each in the trace of its first message. The call itself is in the trace of the first job. */
  async add(
    jobs: readonly BullMqJob[],
    add: (jobs: TracedJob[]) => Promise<unknown>,
  ): Promise<void> {
    const { contextManager } = this.telemetry;
    const traced = jobs.map((job) => {
      const metadata = contextManager.getMetadata(this.#originOf(job));
      return { ...job, opts: { ...job.opts, telemetry: { metadata } } };
    });
    await contextManager.with(this.#originOf(jobs[0]!), () => add(traced));
  }

  #originOf({ data }: BullMqJob): unknown {
    return this.#origins.get(data.tickets[0]!);
  }
}
