import type { AttemptRecord, Attempt, DeliveryStatus } from './attempt/attempt.js';
import { OptionChecks } from '../common/option-checks.js';

/** An attempt and the resulting state of its delivery. */
export interface LoggedAttempt {
  /** Requests made for the delivery, including this one: 1 for the first. */
  readonly number: number;
  /** The attempt, with the ids of the delivery, the message and the subscriber. */
  readonly attempt: Attempt;
  /** The state of the delivery after the attempt: `pending` when another attempt follows. */
  readonly status: DeliveryStatus;
  /** Host and port of the subscriber's URL. */
  readonly host: string;
}

/** Reads the attempts that the strategy has stored because {@link DeliveryLog.keeps} returned true, oldest first. */
export type ReadKept = () => Promise<readonly AttemptRecord[]>;

/**
 * Decides which attempts are stored. The delivery itself, with its status and the number of its attempts, is always
 * remembered: retries, `backfill()` and deduplication need it.
 *
 * The strategy `outbox()` stores attempts with what became of their deliveries, in one transaction, as far as
 * {@link keeps} wants them. {@link written} is for what goes elsewhere as well, or instead.
 *
 * Pluggable: this class is the injection token; the default is `StandardDeliveryLog`. Give another with
 * `ThornModule.forRoot({ deliveryLog: MyLog })`.
 *
 * @example
 * ```ts
 * // Keeps failures in the database, and ships everything.
 * @Injectable()
 * export class ShippedLog extends StandardDeliveryLog {
 *   constructor(private readonly lake: Lake) {
 *     super('failures');
 *   }
 *
 *   override async written(attempts: readonly LoggedAttempt[]): Promise<void> {
 *     await this.lake.append(attempts.map(({ number, attempt }) => attemptRecordOf(number, attempt)));
 *   }
 * }
 * ```
 */
export abstract class DeliveryLog {
  /**
   * True when the strategy should store the attempt. Must answer synchronously and from the attempt alone, because
   * every attempt asks on the way to the database. An error is logged, and the attempt is stored.
   */
  abstract keeps(attempt: LoggedAttempt): boolean;

  /**
   * Receives sets of attempts after their outcomes are written, in that order. The next set waits until the returned
   * promise resolves. A process that crashes in between passes nothing on. Attempts beyond a backlog of several
   * thousand are dropped. The logger `Thorn` reports drops and rejections. A log without this method is told nothing,
   * as `StandardDeliveryLog` is.
   */
  written?(attempts: readonly LoggedAttempt[]): Promise<void> | void;

  /**
   * Returns the stored attempts of a delivery, oldest first, each number once; empty for an unknown delivery.
   *
   * @param delivery id of the delivery
   * @param kept reads the attempts that the strategy has stored
   */
  abstract attemptsOf(delivery: string, kept: ReadKept): Promise<readonly AttemptRecord[]>;
}

/** Selects the attempts to keep: all, the failed ones, or none. */
export type KeptAttempts = 'everything' | 'failures' | 'nothing';

const KEPT: readonly KeptAttempts[] = ['everything', 'failures', 'nothing'];

/** Keeps attempts in the table of the strategy, written in the same transaction as the outcome of the delivery. */
export class StandardDeliveryLog extends DeliveryLog {
  /**
   * @param kept default: everything
   * @throws `ThornConfigurationError` for any other value
   */
  constructor(private readonly kept: KeptAttempts = 'everything') {
    super();
    new OptionChecks('').oneOf('keepAttempts', kept, KEPT);
  }

  override keeps({ attempt }: LoggedAttempt): boolean {
    if (this.kept === 'failures') return attempt.outcome === 'failed';
    return this.kept === 'everything';
  }

  override async attemptsOf(_delivery: string, kept: ReadKept): Promise<readonly AttemptRecord[]> {
    return kept();
  }
}
