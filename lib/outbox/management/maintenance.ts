import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/index.js';
import { DispatchStrategy } from '../../dispatch/index.js';
import { InvalidInputError, ThornConfigurationError } from '../../errors/index.js';
import { SecretSealer } from '../../signing/index.js';
import { SubscriberRepository } from '../../subscriber/index.js';
import {
  checkLongWork,
  runInBatches,
  type LongWorkOptions,
  type Summary,
} from '../../common/long-work.js';
import { checkTime, timeFrom } from '../log/delivery-query.js';
import { requireOutbox, OutboxStrategy } from '../strategy/outbox.strategy.js';
import { formatCursor, parseCursor } from '../tables/keys.js';
import { NOTHING_PRUNED, PASS_START, type PruneCounts } from '../retention/retention-pass.js';

/** The result of {@link Maintenance.prune}, or with `dryRun` the expected result. */
export type PruneSummary = Summary<PruneCounts>;

/** Options of {@link Maintenance.prune}. */
export interface PruneOptions extends LongWorkOptions<PruneSummary> {
  /**
   * Deletes finished messages from before this time, regardless of `retentionDays`. A number is in milliseconds since
   * the Unix epoch.
   */
  readonly before?: Date | number;
}

/** The counts of {@link Maintenance.reseal}, or with `dryRun` the expected counts. */
export interface ResealCounts {
  /** The number of subscribers and messages that were read. */
  readonly checked: number;
  /**
   * The number of rows that were sealed again. The other rows were sealed with the first key already, or hold no
   * secret.
   */
  readonly resealed: number;
  /** Ids of subscribers and messages whose secrets cannot be opened. Keep the old keys until this list is empty. */
  readonly unreadable: readonly string[];
}

/** The result of {@link Maintenance.reseal}: the numbers `checked` and `resealed`, and the `unreadable` ids. */
export type ResealSummary = Summary<ResealCounts>;

/** Options of {@link Maintenance.reseal}. */
export interface ResealOptions extends LongWorkOptions<ResealSummary> {
  /** The number of rows per read: 1 to 1,000, default 200. */
  readonly batch?: number;
}

const NOTHING_RESEALED: ResealCounts = { checked: 0, resealed: 0, unreadable: [] };
const RESEAL_BATCH = 200;
const MAX_RESEAL_BATCH = 1000;

/**
 * Long-running work on stored data, done in batches while the application keeps running. Stop it with a `signal`, and
 * resume with the `next` of the result or of the last progress. Injectable anywhere; the command `thorn` runs
 * it through the operator API.
 *
 * @example
 * ```ts
 * const { unreadable } = await maintenance.reseal({ onProgress: ({ checked }) => logger.log(checked) });
 * ```
 */
@Injectable()
export class Maintenance {
  constructor(
    private readonly strategy: DispatchStrategy,
    private readonly subscribers: SubscriberRepository,
    private readonly sealer: SecretSealer,
    private readonly clock: Clock,
  ) {}

  /**
   * Applies `outbox({ retentionDays, expunge })` to all old messages at once. A worker does the same gradually while
   * idle.
   *
   * @throws {@link InvalidInputError} naming the invalid option, or the unknown one
   * @throws {@link ThornConfigurationError} when the application keeps no messages
   */
  async prune(options: PruneOptions = {}): Promise<PruneSummary> {
    checkLongWork(options, ['before']);
    const before = options.before === undefined ? null : this.#past(options.before);
    const { pruning } = (await requireOutbox(this.strategy)).store;
    return runInBatches(
      {
        nothing: NOTHING_PRUNED,
        batch: async (after) => {
          const settings = pruning.limitsAt(this.clock.now());
          const limits = before === null ? settings : { ...settings, messages: before };
          const { counts, next, isLast } = await pruning.batch(
            { limits, dryRun: options.dryRun === true },
            after === null ? PASS_START : parseCursor(after),
          );
          return { counts, next: isLast ? null : formatCursor(next) };
        },
      },
      options,
    );
  }

  /**
   * Lets workers try the changes of tables again that no message could be made of: rows of `thorn_changes` with a `fault`. Call
   * it when the fault is mended, such as a `payload` function that throws.
   *
   * @returns the number of changes
   * @throws {@link ThornConfigurationError} when the application keeps no messages
   */
  async retryChanges(): Promise<number> {
    return (await requireOutbox(this.strategy)).retryChanges();
  }

  /**
   * Seals every stored secret with the first of `encryption.keys`: the secrets of subscribers and those inside
   * messages. This includes secrets in plain text and secrets sealed with another key, which can be removed afterwards.
   * Expired secrets are deleted. A second run writes only the remaining rows.
   *
   * @throws {@link InvalidInputError} naming the invalid option, or the unknown one
   * @throws {@link ThornConfigurationError} when no encryption key is configured
   */
  async reseal(options: ResealOptions = {}): Promise<ResealSummary> {
    checkLongWork(options, ['batch']);
    const { batch: limit = RESEAL_BATCH, dryRun = false } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RESEAL_BATCH) {
      throw new InvalidInputError('batch', `must be a whole number from 1 to ${MAX_RESEAL_BATCH}`);
    }
    const { strategy, subscribers, sealer, clock } = this;
    if (!sealer.seals) {
      throw new ThornConfigurationError(
        'THORN_ENCRYPTION_KEY_MISSING',
        'Secrets cannot be sealed without a key. Set the option encryption.keys.',
        { option: 'encryption' },
      );
    }
    const outbox = strategy instanceof OutboxStrategy ? await requireOutbox(strategy) : null;
    const resealed = {
      subscribers: (after: string | null) =>
        subscribers.reseal({ limit, after, now: clock.now(), dryRun }),
      messages: (after: string | null) => outbox!.store.sealed.reseal(limit, after, dryRun),
    };
    return runInBatches<ResealCounts>(
      {
        nothing: NOTHING_RESEALED,
        batch: async (cursor) => {
          const [table, after] = resealCursor(cursor, outbox !== null);
          const { next, ...counts } = await resealed[table](after);
          if (next !== null) return { counts, next: `${table}/${next}` };
          return { counts, next: table === 'subscribers' && outbox ? 'messages/' : null };
        },
      },
      options,
    );
  }

  #past(moment: Date | number): number {
    checkTime('before', moment);
    const time = timeFrom(moment);
    if (time <= this.clock.now()) return time;
    throw new InvalidInputError('before', 'must be a time in the past', {
      reason: 'not-in-the-past',
    });
  }
}

/**
 * Where resealing goes on: subscribers come first, then messages.
 *
 * @throws {@link InvalidInputError} for another cursor
 */
function resealCursor(
  cursor: string | null,
  hasMessages: boolean,
): ['subscribers' | 'messages', string | null] {
  if (cursor === null) return ['subscribers', null];
  const [, table, after] = /^(subscribers|messages)\/(.*)$/.exec(cursor) ?? [];
  if (table === undefined || (table === 'messages' && !hasMessages)) {
    throw new InvalidInputError('after', 'must be the "next" of an earlier call');
  }
  return [table as 'subscribers' | 'messages', after === '' ? null : after!];
}
