import type { AttemptRecord } from '../attempt/attempt-record.js';
import type { Attempt } from '../attempt/attempt.js';
import type { DeliveryStatus } from '../attempt/delivery-status.js';

/** An attempt, and what became of its delivery. */
export interface LoggedAttempt {
  /** Requests made for the delivery, this one included: 1 for the first. */
  readonly number: number;
  /** Names the delivery, the message, its event and the subscriber. */
  readonly attempt: Attempt;
  /** Where the delivery stands after it: `pending` when there will be another attempt. */
  readonly status: DeliveryStatus;
  /** Host and port of the subscriber's URL. */
  readonly host: string;
}

/** Reads the attempts that were stored because {@link DeliveryLog.keeps} said so, oldest first. */
export type ReadKept = () => Promise<readonly AttemptRecord[]>;

/**
 * Decides what is remembered of attempts. The delivery itself, with its status and the number of its attempts, is always
 * remembered: retries, `backfill()` and the rule that nobody gets a message twice need it.
 *
 * The strategy `outbox()` stores attempts with what became of their deliveries, in one transaction, as far as
 * {@link keeps} wants them. {@link written} is for what goes elsewhere as well, or instead.
 *
 * Pluggable: this class is the injection token; the default is `StandardDeliveryLog`. Give another with
 * `ThornModule.forRoot({ deliveryLog: MyLog })`. Any implementation must pass `deliveryLogConformance`.
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
   * Whether the strategy stores the attempt. Answers at once and from the attempt alone, since it is asked for each one
   * on the way to the database. An error is logged, and the attempt stored.
   */
  abstract keeps(attempt: LoggedAttempt): boolean;

  /**
   * Told of all attempts once what became of their deliveries is written, in sets and in that order; the next set waits
   * until this one is taken. A process that dies in between tells nothing, and what several thousand attempts behind
   * cannot be taken is dropped: the logger `Thorn` says so, as it does when this rejects.
   */
  abstract written(attempts: readonly LoggedAttempt[]): Promise<void> | void;

  /**
   * The attempts of a delivery that are remembered, oldest first and each number once; none for what is not known.
   *
   * @param delivery its id
   * @param kept reads those that the strategy has stored
   */
  abstract attemptsOf(delivery: string, kept: ReadKept): Promise<readonly AttemptRecord[]>;
}
