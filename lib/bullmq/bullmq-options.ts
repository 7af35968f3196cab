import type { ConnectionOptions, Telemetry } from 'bullmq';
import { OptionChecks, TIMER } from '../common/option-checks.js';
import { ThornConfigurationError } from '../errors/index.js';
import type { OutboxOptions } from '../outbox/index.js';

/** Options for {@link bullmq}: the options of `outbox()` and the settings of the queue. */
export interface BullMqOptions extends OutboxOptions {
  /** Name of the queue. All processes of an application use the same. Default `thorn`. */
  readonly queue?: string;
  /** Options or a client of ioredis. Default: the connection of `BullModule.forRoot()`. */
  readonly connection?: ConnectionOptions;
  /** The key under which `BullModule.forRoot(key, …)` has the connection. Default: none. */
  readonly configKey?: string;
  /** Prefix of the queue's keys in Redis. Default: BullMQ's own, `bull`. */
  readonly prefix?: string;
  /**
   * Lets this process add the messages that it sends to the queue, for any worker. If false, it delivers them itself.
   * Default true.
   */
  readonly producer?: boolean;
  /** Lets this process deliver messages from the queue, and retries from the database. Default true. */
  readonly worker?: boolean;
  /** Jobs that are active at most. Limit deliveries by `window` and `perHost` instead. Default 500. */
  readonly concurrency?: number;
  /**
   * Timeout for adding messages to the queue, in milliseconds. After it, workers find them in the database. Default 2,000.
   */
  readonly enqueueTimeout?: number;
  /** BullMQ's telemetry, such as that of `bullmq-otel`. Default: that of `BullModule.forRoot()`, or none. */
  readonly telemetry?: Telemetry;
}

/** The options of the queue, checked and with their defaults. */
export interface QueueSettings {
  readonly queue: string;
  readonly prefix: string | undefined;
  readonly producer: boolean;
  readonly worker: boolean;
  readonly concurrency: number;
  readonly enqueueTimeout: number;
  /** The time that BullMQ waits for a sign of life of a job's worker, in milliseconds. */
  readonly lock: number;
}

const LONGEST_LOCK = 10_000;

const DEFAULTS = {
  queue: 'thorn',
  prefix: undefined,
  producer: true,
  worker: true,
  concurrency: 500,
  enqueueTimeout: 2000,
} as const;

const NAMES = new Set([...Object.keys(DEFAULTS), 'connection', 'configKey', 'telemetry']);

/** @throws {@link ThornConfigurationError} naming the wrong option */
export function queueSettings(options: BullMqOptions): QueueSettings {
  const check = new OptionChecks('bullmq()');
  check.given(options);
  const given = { ...DEFAULTS, ...defined(options) };
  check.boolean('producer', given.producer);
  check.boolean('worker', given.worker);
  check.integer('concurrency', given.concurrency);
  check.integer('enqueueTimeout', given.enqueueTimeout, TIMER);
  for (const name of ['queue', 'prefix', 'configKey'] as const) {
    const value: unknown = { ...options, ...given }[name];
    if (value === undefined) continue;
    const isName = typeof value === 'string' && /^[^:\s]+$/.test(value);
    check.assert(name, isName, 'must be a text without colons and blanks');
  }
  check.assert(
    'telemetry',
    options.telemetry === undefined || isTelemetry(options.telemetry),
    'must be telemetry of BullMQ, such as new BullMQOtel(…) of bullmq-otel',
  );
  if (options.connection !== undefined && options.configKey !== undefined) {
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      'bullmq({ connection, configKey }) names two connections: leave one out',
    );
  }
  if (!given.producer && !given.worker) {
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      'bullmq({ producer: false, worker: false }) has nothing to do with the queue: use outbox({ worker: false })',
    );
  }
  const { queue, prefix, producer, worker, concurrency, enqueueTimeout } = given;
  // A stalled job must come back before the leases of its messages expire.
  const lock = Math.min(LONGEST_LOCK, options.lease ?? LONGEST_LOCK);
  return {
    queue,
    prefix,
    producer,
    worker,
    concurrency,
    enqueueTimeout,
    lock,
  };
}

function isTelemetry(given: unknown): boolean {
  const { tracer, contextManager } = Object(given) as Partial<Telemetry>;
  return typeof tracer === 'object' && typeof contextManager === 'object';
}

/** The options of `outbox()` among the given ones. */
export function databaseOptions(options: BullMqOptions): OutboxOptions {
  const entries = Object.entries(options).filter(([name]) => name === 'worker' || !NAMES.has(name));
  return Object.fromEntries(entries);
}

function defined(options: BullMqOptions): Partial<QueueSettings> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
