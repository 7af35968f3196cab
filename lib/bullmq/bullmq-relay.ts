import { setImmediate } from 'node:timers/promises';
import type { Queue, Worker } from 'bullmq';
import { orTimeout } from '../common/waiting.js';
import { missingPackages } from '../errors/require-packages.js';
import type { Message } from '../message/index.js';
import {
  MessageRelay,
  OutageLog,
  type RelayWorker,
  type Ticket,
  TicketSender,
} from '../outbox/index.js';
import type { QueueSettings } from './bullmq-options.js';
import type { Connections } from './connections.js';
import { createQueue } from './create-queue.js';
import { createWorker } from './create-worker.js';
import { JobTracing } from './job-tracing.js';
import { jobsFor, type BullMqJob } from './jobs.js';
import { checkRedisSettings, redisClient } from './redis-settings-check.js';

const CHECKS_WITHIN = 2000;
const OPENS_WITHIN = 1000;
const CLOSES_WITHIN = 5000;

/** Carries tickets by jobs of BullMQ. A job says where messages are; their contents stay in the database. */
export class BullMqRelay extends MessageRelay {
  readonly #outages: OutageLog;
  readonly #tracing: JobTracing | null;
  #queue: Queue | null = null;
  #sender: TicketSender | null = null;
  #worker: Worker | null = null;
  #isClosed = false;

  constructor(
    private readonly settings: QueueSettings,
    private readonly connections: Connections,
  ) {
    super();
    this.#outages = new OutageLog(`The queue ${settings.queue}`);
    const { telemetry } = connections;
    this.#tracing = telemetry === undefined ? null : new JobTracing(telemetry);
  }

  override label(): string {
    return 'bullmq()';
  }

  override get carries(): boolean {
    return this.settings.producer;
  }

  /**
   * Does not wait for Redis: an application that starts without it answers, and delivers the messages that the database has.
   *
   * @throws {@link ThornConfigurationError} when BullMQ cannot load the package `ioredis`
   */
  override async start(worker: RelayWorker | null): Promise<void> {
    if (this.settings.producer) {
      const queue = this.#queue ?? this.#open().queue;
      await requireDriver(queue);
      queue
        .waitUntilReady()
        .then(() => checkRedisSettings(queue))
        .catch((error: unknown) => this.#report(error));
    }
    if (worker === null || this.#isClosed) return;
    this.#worker = createWorker(this.settings, this.connections, worker);
    this.#worker.on('error', (error) => this.#report(error));
    this.#worker.on('ready', () => this.#outages.clear());
    await requireDriver(this.#worker);
    if (this.#isClosed) return;
    this.#worker.run().catch((error: unknown) => this.#report(error));
  }

  override async carry(
    messages: readonly Message[],
    tickets: readonly Ticket[],
  ): Promise<readonly Ticket[]> {
    if (this.#isClosed) return tickets;
    const sender = this.#sender ?? this.#open().sender;
    this.#tracing?.note(messages, tickets);
    return (await sender.add(tickets)) ? [] : tickets;
  }

  override async check(): Promise<void> {
    if (this.#queue !== null) {
      await orTimeout(CHECKS_WITHIN, this.#queue.getJobCounts('waiting'));
    } else if (this.#worker !== null) {
      await orTimeout(CHECKS_WITHIN, redisClient(this.#worker));
    }
  }

  override async pause(): Promise<void> {
    await this.#worker?.pause(true);
  }

  override async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sender?.close();
    const open = [this.#worker, this.#queue].filter((one) => one !== null);
    await Promise.all(open.map(close));
    this.connections.close();
  }

  #open(): { readonly queue: Queue; readonly sender: TicketSender } {
    const queue = createQueue(this.settings, this.connections);
    queue.on('error', (error) => this.#report(error));
    this.#queue = queue;
    this.#sender = new TicketSender(
      (tickets) => this.#add(queue, jobsFor(tickets)),
      this.settings.enqueueTimeout,
      this.#outages,
    );
    return { queue, sender: this.#sender };
  }

  #add(queue: Queue, jobs: BullMqJob[]): Promise<unknown> {
    if (this.#tracing === null) return queue.addBulk(jobs);
    return this.#tracing.add(jobs, (traced) => queue.addBulk(traced));
  }

  #report(error: unknown): void {
    if (!this.#isClosed) this.#outages.report(error);
  }
}

/**
 * BullMQ 6 loads `ioredis` when it is first needed. Without it a worker that runs would keep a core busy for good.
 *
 * @throws {@link ThornConfigurationError} when it cannot be loaded
 */
async function requireDriver(one: Queue | Worker): Promise<void> {
  let failure: unknown;
  one.waitUntilReady().catch((error: unknown) => (failure = error));
  // The package is looked for before anything is awaited that takes longer.
  await setImmediate();
  if (/'ioredis'/.test(String(failure))) throw missingPackages('bullmq()', ['ioredis']);
}

/** Closes a queue or worker, also while Redis is away and answers neither commands nor the end of the connection. */
async function close(one: Queue | Worker): Promise<void> {
  // BullMQ 5 does not handle errors of a connection that is closed while it opens.
  await orTimeout(OPENS_WITHIN, one.waitUntilReady()).catch(() => undefined);
  try {
    await orTimeout(CLOSES_WITHIN, one.close());
  } catch {
    void one.disconnect().catch(() => undefined);
  }
}
