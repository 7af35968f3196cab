import { ThornConfigurationError } from '../../errors/index.js';
import { type EndpointRules, endpointRules } from '../concurrency/circuit-breaker.js';

/** Settings of {@link outbox}. Times are milliseconds unless the name says days. */
export interface OutboxOptions {
  /** Deliveries in flight at most, over all messages. Default 1,000. */
  readonly window?: number;
  /**
   * Deliveries in flight to one host and port at most. A host begins with 64 of them, and gets more while it is slow,
   * answers well and does not become slower by it. Default 256.
   */
  readonly perHost?: number;
  /**
   * The time in milliseconds after which other processes may take over the work of a crashed process. Extended while
   * the process lives. Default 60,000, at least 1,000.
   */
  readonly lease?: number;
  /** The maximum interval in milliseconds between looks for work of other processes. Default 1,000. */
  readonly pollInterval?: number;
  /**
   * False: this process only stores messages, and processes with a worker deliver them at their next poll. Default true.
   */
  readonly worker?: boolean;
  /**
   * The maximum time in milliseconds that shutdown waits for running deliveries; the rest is released to other
   * processes. Default 10,000.
   */
  readonly drainTimeout?: number;
  /** The time in milliseconds after which an unresponsive database connection is dropped. Default 10,000. */
  readonly queryTimeout?: number;
  /** After how many days finished messages are deleted with their deliveries and attempts. Default 30. */
  readonly retentionDays?: number;
  /** Drops parts of finished messages before `retentionDays`. Default: nothing. */
  readonly expunge?: {
    /** After how many days bodies are dropped. A delivery whose message has none cannot be tried again. */
    readonly payloadDays?: number;
    /** After how many days the endpoints' answers are dropped. */
    readonly responseDays?: number;
  };
  /** Rules for pausing failing endpoints. */
  readonly endpoints?: Partial<EndpointRules>;
}

/** {@link OutboxOptions}, checked and complete. */
export interface OutboxSettings {
  readonly window: number;
  readonly perHost: number;
  readonly lease: number;
  readonly pollInterval: number;
  readonly worker: boolean;
  readonly drainTimeout: number;
  readonly queryTimeout: number;
  readonly retentionDays: number;
  readonly payloadDays: number;
  readonly responseDays: number;
  readonly endpoints: EndpointRules;
}

const SHORTEST_LEASE = 1000;

const NAMES: Readonly<Record<keyof OutboxOptions, true>> = {
  window: true,
  perHost: true,
  lease: true,
  pollInterval: true,
  worker: true,
  drainTimeout: true,
  queryTimeout: true,
  retentionDays: true,
  expunge: true,
  endpoints: true,
};
const EXPUNGE_NAMES = ['payloadDays', 'responseDays'];

/** @throws {@link ThornConfigurationError} naming the option that makes no sense */
export function outboxSettings(options: OutboxOptions): OutboxSettings {
  checkNames('', options, Object.keys(NAMES));
  const { worker = true, expunge = {} } = options;
  if (typeof worker !== 'boolean') throw refused('worker', 'true or false', worker);
  for (const [name, value] of Object.entries({ expunge, endpoints: options.endpoints ?? {} })) {
    if (typeof value !== 'object' || value === null) throw refused(name, 'an object', value);
  }
  checkNames('expunge.', expunge, EXPUNGE_NAMES);
  const retentionDays = days('retentionDays', options.retentionDays ?? 30);
  const lease = whole('lease', options.lease ?? 60_000);
  if (lease < SHORTEST_LEASE) throw refused('lease', `at least ${SHORTEST_LEASE}`, lease);
  return {
    window: whole('window', options.window ?? 1000),
    perHost: whole('perHost', options.perHost ?? 256),
    lease,
    pollInterval: whole('pollInterval', options.pollInterval ?? 1000),
    worker,
    drainTimeout: whole('drainTimeout', options.drainTimeout ?? 10_000),
    queryTimeout: whole('queryTimeout', options.queryTimeout ?? 10_000),
    retentionDays,
    payloadDays: days('expunge.payloadDays', expunge.payloadDays ?? retentionDays),
    responseDays: days('expunge.responseDays', expunge.responseDays ?? retentionDays),
    endpoints: endpointRules(options.endpoints),
  };
}

/** A misspelt option would otherwise be one that has its default. */
function checkNames(within: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ThornConfigurationError(
    `outbox({ ${within}${unknown} }) is not an option. Valid options: ${known.join(', ')}`,
    { option: within + unknown },
  );
}

function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw refused(name, 'a whole number above 0', value);
}

function days(name: string, value: number): number {
  if (typeof value === 'number' && value > 0) return value;
  throw refused(name, 'a number of days above 0', value);
}

function refused(name: string, rule: string, value: unknown): ThornConfigurationError {
  return new ThornConfigurationError(`outbox({ ${name} }) must be ${rule}, not ${String(value)}`, {
    option: name,
    value,
  });
}
