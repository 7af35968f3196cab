import type { Clock } from '../../common/index.js';
import type { DispatchStrategy } from '../../dispatch/index.js';
import { InvalidInputError, ThornConfigurationError } from '../../errors/index.js';
import type { SecretSealer } from '../../signing/index.js';
import type { SubscriberRepository } from '../../subscriber/index.js';
import { runInBatches, type LongWorkOptions, type Summary } from '../../common/long-work.js';
import { timeFrom } from './delivery-query.js';
import { requireOutbox, OutboxStrategy } from '../strategy/outbox.strategy.js';
import { NOTHING_PRUNED, type PruneCounts } from '../retention/pruning.js';

/** What {@link Maintenance.prune} did, or with `dryRun` would do. */
export type PruneSummary = Summary<PruneCounts>;

/** Options of {@link Maintenance.prune}. */
export interface PruneOptions extends LongWorkOptions<PruneSummary> {
  /**
   * Finished messages from before that time are deleted, whatever `retentionDays` says; milliseconds since the Unix epoch
   * when it is a number.
   */
  readonly before?: Date | number;
}

/** What {@link Maintenance.reseal} did, or with `dryRun` would do. */
export interface ResealCounts {
  /** How many subscribers and messages were looked at. */
  readonly checked: number;
  /** How many were sealed anew; the others were sealed with the first key already, or hold no secret. */
  readonly resealed: number;
  /** Ids of subscribers and messages whose secrets do not open: keep the keys until there are none. */
  readonly unreadable: readonly string[];
}

/** The outcome of {@link Maintenance.reseal}: how many it `checked` and `resealed`, and the ids that are `unreadable`. */
export type ResealSummary = Summary<ResealCounts>;

/** Options of {@link Maintenance.reseal}. */
export interface ResealOptions extends LongWorkOptions<ResealSummary> {
  /** Rows that are read at once: 1 to 1,000, default 200. */
  readonly batch?: number;
}

/** What {@link Maintenance} is made from. */
export interface MaintenanceTools {
  readonly strategy: DispatchStrategy;
  readonly subscribers: SubscriberRepository;
  readonly sealer: SecretSealer;
  readonly clock: Clock;
}

const NOTHING_RESEALED: ResealCounts = { checked: 0, resealed: 0, unreadable: [] };
const RESEAL_BATCH = 200;
const MAX_RESEAL_BATCH = 1000;

/**
 * Long work on what is stored, while everything goes on: in batches, stopped with a `signal` or by whatever interrupts
 * it, and resumed with the `next` of its result or of its last progress. Injectable anywhere; the command `thorn` runs
 * it through the operator API.
 *
 * @example
 * ```ts
 * const { unreadable } = await maintenance.reseal({ onProgress: ({ checked }) => logger.log(checked) });
 * ```
 */
export class Maintenance {
  constructor(private readonly tools: MaintenanceTools) {}

  /**
   * Goes through all old messages once and drops of them what `outbox({ retentionDays, expunge })` says: what a worker
   * does by itself in its spare time, at once.
   *
   * @throws {@link InvalidInputError} whose `field` is `before` or `after`
   * @throws {@link ThornConfigurationError} when the application keeps no messages
   */
  async prune(options: PruneOptions = {}): Promise<PruneSummary> {
    const before = options.before === undefined ? null : this.#past(options.before);
    const outbox = await requireOutbox(this.tools.strategy);
    return runInBatches(
      {
        sources: outbox.stores.length,
        nothing: NOTHING_PRUNED,
        sum: (one, other) => ({
          checked: one.checked + other.checked,
          deleted: one.deleted + other.deleted,
          bodies: one.bodies + other.bodies,
          responses: one.responses + other.responses,
          open: one.open + other.open,
        }),
        batch: (place, after) =>
          outbox.stores[place]!.pruning.batch(
            { now: this.tools.clock.now(), before, dryRun: options.dryRun === true },
            after,
          ),
      },
      options,
    );
  }

  /**
   * Seals every stored secret with the first of `encryption.keys`, those of subscribers and those that messages carry for
   * subscribers of their own: what is stored in plain text since before there were keys, and what another key has sealed,
   * which is dispensable afterwards. Removes secrets that have expired. Run again, it writes only what is left to do.
   *
   * @throws {@link InvalidInputError} whose `field` is `batch` or `after`
   * @throws {@link ThornConfigurationError} when there is no key to seal with
   */
  async reseal(options: ResealOptions = {}): Promise<ResealSummary> {
    const { batch: limit = RESEAL_BATCH, dryRun = false } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RESEAL_BATCH) {
      throw new InvalidInputError('batch', `must be a whole number from 1 to ${MAX_RESEAL_BATCH}`);
    }
    const { strategy, subscribers, sealer, clock } = this.tools;
    if (!sealer.seals) {
      throw new ThornConfigurationError(
        'There is no key to seal secrets with: give the option encryption.keys.',
        { option: 'encryption' },
      );
    }
    const stores = strategy instanceof OutboxStrategy ? (await requireOutbox(strategy)).stores : [];
    return runInBatches<ResealCounts>(
      {
        // Subscribers, and then the messages of each data source.
        sources: 1 + stores.length,
        nothing: NOTHING_RESEALED,
        sum: (one, other) => ({
          checked: one.checked + other.checked,
          resealed: one.resealed + other.resealed,
          unreadable: [...one.unreadable, ...other.unreadable],
        }),
        batch: async (place, after) => {
          const { next, ...counts } =
            place === 0
              ? await subscribers.reseal({ limit, after, now: clock.now(), dryRun })
              : await stores[place - 1]!.sealed.reseal(limit, after, dryRun);
          return { counts, next };
        },
      },
      options,
    );
  }

  #past(moment: Date | number): number {
    const time = timeFrom(moment);
    if (Number.isFinite(time) && time <= this.tools.clock.now()) return time;
    throw new InvalidInputError('before', 'must be a time in the past');
  }
}
