import type { Telemetry } from 'bullmq';
import { describe, expect, it } from 'vitest';
import type { Message } from '../message/index.js';
import { JobTracing, type TracedJob } from './job-tracing.js';
import { jobsFor } from './jobs.js';

/** A telemetry whose contexts are strings. */
class Texts {
  active = 'request';
  readonly contextManager = {
    active: () => this.active,
    fromMetadata: (_active: string, metadata: string) =>
      (JSON.parse(metadata) as { traceparent: string }).traceparent,
    getMetadata: (context: string) => `of ${context}`,
    with: (context: string, work: () => unknown) => {
      this.active = context;
      return work();
    },
  };
}

/** Adds the jobs of 12 messages that were released at the same time. */
async function added(traceparentOf: (at: number) => string | null) {
  const texts = new Texts();
  const tracing = new JobTracing(texts as unknown as Telemetry);
  const ids = Array.from({ length: 12 }, (_, at) => `msg_${at}`);
  const messages = ids.map(
    (id, at) => ({ id, traceparent: traceparentOf(at), tracestate: null }) as Message,
  );
  const tickets = ids.map((id) => ({ id, source: 0, lease: 'x' }));
  tracing.note(messages, tickets);
  texts.active = 'another request';
  let within = '';
  let jobs: TracedJob[] = [];
  await tracing.add(jobsFor(tickets), (traced) => {
    [jobs, within] = [traced, texts.active];
    return Promise.resolve();
  });
  return {
    within,
    opts: jobs.map(({ opts }) => opts),
    data: jobs.map(({ data }) => data),
    tickets,
  };
}

describe('JobTracing', () => {
  it('adds each job in the trace of its first message', async () => {
    const { within, opts, data, tickets } = await added((at) => `trace-${at}`);
    expect(opts).toEqual([
      { jobId: 'msg_0', telemetry: { metadata: 'of trace-0' } },
      { jobId: 'msg_10', telemetry: { metadata: 'of trace-10' } },
    ]);
    expect(within).toBe('trace-0');
    expect(data).toEqual(jobsFor(tickets).map((job) => job.data));
  });

  it('uses the context that was active at the release for messages without a trace', async () => {
    const { within, opts } = await added(() => null);
    expect(opts.map(({ telemetry }) => telemetry.metadata)).toEqual(['of request', 'of request']);
    expect(within).toBe('request');
  });
});
