import { Logger } from '@nestjs/common';
import type { Queue, Worker } from 'bullmq';
import { orTimeout } from '../common/timeout.js';
import type { Message } from '../message/index.js';
import {
  OutageLog,
  contentsOf,
  mayBeCarried,
  MessageRelay,
  type RateLimiter,
  type RelayWorker,
  type Ticket,
  TicketSender,
} from '../outbox/index.js';
import { untilReady } from './wait-until-ready.js';
import type { QueueSettings } from './bullmq-options.js';
import type { Connections } from './connections.js';
import { JobTracing } from './job-tracing.js';
import { jobsFor, type NewJob } from './jobs.js';
import { newQueue } from './create-queue.js';
import { newWorker } from './create-worker.js';
import { QueueRateLimiter } from './queue-rate-limiter.js';
import { checkServer } from './redis-settings-check.js';

/** Bytes of a body that a job carries although the database has it. */
const CARRIED_AT_MOST = 64 * 1024;
/** Bytes of a body that a job alone has. */
const UNSTORED_AT_MOST = 1024 * 1024;
const CHECKS_WITHIN = 2000;
const OPENS_WITHIN = 1000;
const CLOSES_WITHIN = 5000;

/** Carries messages by BullMQ. A job says where messages are; what they say stays in the database unless told otherwise. */
export class BullMqRelay extends MessageRelay {
  readonly #logger = new Logger('Thorn');
  readonly #settings: QueueSettings;
  readonly #connections: Connections;
  readonly #absence: OutageLog;
  readonly #origins: JobTracing | null;
  #queue: Queue | null = null;
  #sender: TicketSender | null = null;
  #worker: Worker | null = null;
  /** Of a backend that is not Redis it has to be awaited. */
  #isOpen: boolean;
  readonly #closing = new AbortController();
  #opening: Promise<void> = Promise.resolve();

  constructor(settings: QueueSettings, connections: Connections) {
    super();
    this.#settings = settings;
    this.#connections = connections;
    this.#isOpen = connections.backend === undefined;
    this.#absence = new OutageLog(`The queue ${settings.queue}`);
    const { telemetry } = connections;
    this.#origins = telemetry === undefined ? null : new JobTracing(telemetry);
  }

  override get carries(): boolean {
    return this.#settings.producer;
  }

  override carriesUnstored({ json }: Message): boolean {
    return !this.#settings.staging && json.length <= UNSTORED_AT_MOST;
  }

  /** Does not wait for the queue: an application that starts without it answers, and delivers what it finds. */
  override start(worker: RelayWorker | null): void {
    if (!this.#settings.staging) {
      this.#logger.warn(
        `bullmq({ staging: false }): messages are in the queue ${this.#settings.queue} alone until a worker has stored them. What Redis loses, or this process when it dies, is lost`,
      );
    }
    if (this.#isOpen) this.#begin(worker);
    else this.#opening = this.#beginOnceReady(worker);
  }

  override async carry(
    messages: readonly Message[],
    tickets: readonly Ticket[],
  ): Promise<readonly Ticket[]> {
    if (this.#closing.signal.aborted || !this.#isOpen) return tickets;
    const sender = this.#sender ?? this.#open().sender;
    const carried = tickets.map((ticket, at) => this.#withContents(ticket, messages[at]!));
    this.#origins?.note(messages, carried);
    return (await sender.add(carried)) ? [] : tickets;
  }

  override rateLimiter(database: RateLimiter): RateLimiter {
    const { prefix = 'bull' } = this.#connections;
    return new QueueRateLimiter({
      queue: () => this.#queue ?? this.#open().queue,
      prefix: `${prefix}:${this.#settings.queue}:rate:`,
      database,
      noticed: (error) => this.#noticed(error),
    });
  }

  override async check(): Promise<void> {
    if (!this.#isOpen) throw new Error(`The queue ${this.#settings.queue} is not ready`);
    if (this.#queue === null) return;
    await orTimeout(CHECKS_WITHIN, this.#queue.getJobCounts('waiting'));
  }

  override async pause(): Promise<void> {
    await this.#worker?.pause(true);
  }

  override async close(): Promise<void> {
    this.#closing.abort();
    await this.#sender?.close();
    // A queue that is asked whether it is ready has connections of its own.
    await orTimeout(CLOSES_WITHIN, this.#opening).catch(() => undefined);
    const open = [this.#worker, this.#queue].filter((one) => one !== null);
    await Promise.all(open.map(closed));
    this.#connections.close();
  }

  #begin(worker: RelayWorker | null): void {
    this.#isOpen = true;
    if (this.#settings.producer) {
      const queue = this.#queue ?? this.#open().queue;
      queue
        .waitUntilReady()
        .then(() => checkServer(queue))
        .catch((error: unknown) => this.#noticed(error));
    }
    if (worker === null) return;
    this.#worker = newWorker(this.#settings, this.#connections, worker);
    this.#worker.on('error', (error) => this.#noticed(error));
    this.#worker.on('ready', () => this.#absence.clear());
  }

  async #beginOnceReady(worker: RelayWorker | null): Promise<void> {
    const isReady = await untilReady(
      () => newQueue(this.#settings, this.#connections),
      (error) => this.#noticed(error),
      this.#closing.signal,
    );
    if (isReady) this.#begin(worker);
  }

  #withContents(ticket: Ticket, message: Message): Ticket {
    const { carryBody } = this.#settings;
    const isSmall = message.json.length <= CARRIED_AT_MOST;
    const isCarried = ticket.isStored === false || (carryBody && isSmall && mayBeCarried(message));
    return isCarried ? { ...ticket, contents: contentsOf(message) } : ticket;
  }

  #open(): { readonly queue: Queue; readonly sender: TicketSender } {
    const queue = newQueue(this.#settings, this.#connections);
    queue.on('error', (error) => this.#noticed(error));
    this.#queue = queue;
    this.#sender = new TicketSender(
      (tickets) => this.#add(queue, jobsFor(tickets)),
      this.#settings.enqueueTimeout,
      this.#absence,
    );
    return { queue, sender: this.#sender };
  }

  #add(queue: Queue, jobs: NewJob[]): Promise<unknown> {
    if (this.#origins === null) return queue.addBulk(jobs);
    return this.#origins.add(jobs, (traced) => queue.addBulk(traced));
  }

  #noticed(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#absence.report(error);
  }
}

/** Redis may be away: then neither a farewell is answered nor the end of the connection. */
async function closed(one: Queue | Worker): Promise<void> {
  // BullMQ 5 has nobody listen to the errors of what is closed while it opens.
  await orTimeout(OPENS_WITHIN, one.waitUntilReady()).catch(() => undefined);
  try {
    await orTimeout(CLOSES_WITHIN, one.close());
  } catch {
    void one.disconnect().catch(() => undefined);
  }
}
