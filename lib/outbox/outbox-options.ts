import { isObject } from '../common/objects.js';
import { OptionChecks, TIMER } from '../common/option-checks.js';
import type { HealthRules } from '../subscriber/index.js';

/** When an endpoint gets no requests, and for how long. */
export interface EndpointRules {
  /**
   * Milliseconds between two probes of an endpoint whose breaker is open, or that asks for a pause (429, 502, 503, 504)
   * without saying how long. A probe without a result does not hold up the next one. Default 4,000.
   */
  readonly probeInterval: number;
  /** Longest pause in milliseconds that an endpoint gets by `Retry-After`, jitter not counted. Default 15 minutes. */
  readonly maxPause: number;
  /** Consecutive failures that open the breaker. Default 10. */
  readonly failures: number;
  /** The part of a time, 0 to 1, that is added to it at most, at random. Default 0.1. */
  readonly jitter: number;
}

/** Settings of {@link outbox}. Times are milliseconds unless the name says days. */
export interface OutboxOptions {
  /** Deliveries in flight at most, over all messages. Default 1,000. */
  readonly window?: number;
  /** Deliveries in flight to one host and port at most. Default 384. */
  readonly perHost?: number;
  /**
   * The time in milliseconds after which other processes may take over the work of a crashed process. Extended while
   * the process lives. Default 10,000, at least 1,000.
   */
  readonly lease?: number;
  /** The maximum interval in milliseconds between looks for work of other processes. Default 1,000. */
  readonly pollInterval?: number;
  /**
   * The interval in milliseconds at which one worker looks for changes of tables that triggers have written down. A commit
   * that this process knows of is looked for at once. Default 150.
   */
  readonly changePollInterval?: number;
  /**
   * False: this process only stores messages, and processes with a worker deliver them at their next poll. Default true.
   */
  readonly worker?: boolean;
  /**
   * The maximum time in milliseconds that shutdown waits for running deliveries; the rest is released to other
   * processes. A request that takes longer is cut off, and its delivery repeated. Default 20,000, which is longer than the
   * default timeout of a request.
   */
  readonly drainTimeout?: number;
  /** The time in milliseconds after which an unresponsive database connection is dropped. Default 10,000. */
  readonly queryTimeout?: number;
  /**
   * After how many days finished messages are deleted with their deliveries and attempts: 36,500 at most, which keeps
   * everything. Default 30.
   */
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
  /**
   * True: every message of an event that may be subscribed to is stored, and can be read in the order of commits by
   * `GET /hooks/events` and `dispatcher.history()`. Set it in every process that sends; for one database alone. Default
   * false. On MySQL and MariaDB a message is `lag` milliseconds old before readers get it, 5,000 by default.
   */
  readonly history?:
    | boolean
    | {
        /**
         * An INSERT of messages that takes longer, because it waits for a lock, may be missed by a reader; the length of
         * transactions does not matter. In a cluster with several writing nodes, longer than any transaction.
         */
        readonly lag?: number;
      };
}

/** The options of the module that the outbox needs. The options of `outbox()` are given to that function. */
export abstract class OutboxSettings {
  /** When a subscriber is disabled whose endpoint only fails. Default: after five days and 20 messages. */
  abstract readonly health?: Partial<HealthRules>;
}

/** {@link OutboxOptions}, checked and complete. */
export interface CheckedOutboxOptions
  extends
    Required<Omit<OutboxOptions, 'expunge' | 'endpoints' | 'history'>>,
    Required<NonNullable<OutboxOptions['expunge']>> {
  readonly endpoints: EndpointRules;
  /** Null: there is no history. */
  readonly history: { readonly lag: number } | null;
}

const ENDPOINT_DEFAULTS: EndpointRules = {
  probeInterval: 4_000,
  maxPause: 15 * 60_000,
  failures: 10,
  jitter: 0.1,
};

const SHORTEST_LEASE = 1000;

const NAMES: Readonly<Record<keyof OutboxOptions, true>> = {
  window: true,
  perHost: true,
  lease: true,
  pollInterval: true,
  changePollInterval: true,
  worker: true,
  drainTimeout: true,
  queryTimeout: true,
  retentionDays: true,
  expunge: true,
  endpoints: true,
  history: true,
};
const EXPUNGE_NAMES = ['payloadDays', 'responseDays'];
// A limit that a column of times can hold, and that no message outlives.
const MOST_DAYS = 36_500;
const DEFAULT_LAG = 5000;

/** @throws {@link ThornConfigurationError} naming the option that makes no sense */
export function checkOutboxOptions(options: OutboxOptions): CheckedOutboxOptions {
  const check = new OptionChecks('outbox()');
  check.names(options, Object.keys(NAMES));
  check.object('expunge', options.expunge, EXPUNGE_NAMES);
  const { expunge = {}, endpoints, worker = true } = options;
  const expunging = check.within('expunge');
  const retentionDays = days(check, 'retentionDays', options.retentionDays ?? 30);
  return {
    window: check.integer('window', options.window ?? 1000),
    perHost: check.integer('perHost', options.perHost ?? 384),
    lease: check.integer('lease', options.lease ?? 10_000, {
      min: SHORTEST_LEASE,
      ...TIMER,
    }),
    pollInterval: check.integer('pollInterval', options.pollInterval ?? 1000, TIMER),
    changePollInterval: check.integer(
      'changePollInterval',
      options.changePollInterval ?? 150,
      TIMER,
    ),
    worker: check.boolean('worker', worker),
    drainTimeout: check.integer('drainTimeout', options.drainTimeout ?? 20_000, TIMER),
    queryTimeout: check.integer('queryTimeout', options.queryTimeout ?? 10_000, TIMER),
    retentionDays,
    payloadDays: days(expunging, 'payloadDays', expunge.payloadDays ?? retentionDays),
    responseDays: days(expunging, 'responseDays', expunge.responseDays ?? retentionDays),
    endpoints: endpointRules(endpoints, check),
    history: historySettings(check, options.history),
  };
}

/** @throws {@link ThornConfigurationError} naming the rule whose value makes no sense */
export function endpointRules(
  given: Partial<EndpointRules> = {},
  options = new OptionChecks('outbox()'),
): EndpointRules {
  options.object('endpoints', given, Object.keys(ENDPOINT_DEFAULTS));
  const rules = { ...ENDPOINT_DEFAULTS, ...given };
  const check = options.within('endpoints');
  const { jitter, ...integers } = rules;
  check.number('jitter', jitter, { max: 1 });
  for (const [name, value] of Object.entries(integers)) check.integer(name, value);
  return rules;
}

function historySettings(
  check: OptionChecks,
  history: OutboxOptions['history'] = false,
): CheckedOutboxOptions['history'] {
  if (history === false) return null;
  if (history === true) return { lag: DEFAULT_LAG };
  check.assert('history', isObject(history), 'must be true, false or { lag } in milliseconds');
  check.object('history', history, ['lag']);
  return { lag: check.within('history').integer('lag', history.lag ?? DEFAULT_LAG, TIMER) };
}

function days(check: OptionChecks, name: string, value: number): number {
  check.positive(name, value, 'days');
  const rule = `must be at most ${MOST_DAYS} days, a hundred years, which keeps everything`;
  check.assert(name, value <= MOST_DAYS, `${rule}; not ${value}`);
  return value;
}
