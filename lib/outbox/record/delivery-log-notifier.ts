import { FaultLog } from '../../common/index.js';
import type { DeliveryLog, LoggedAttempt } from '../../delivery/index.js';
import type { Outcome } from '../outcome.js';

const MOST_WAITING = 5000;
const LONGEST_SET = 500;

/** Asks the delivery log which attempts are stored, and tells it of all of them once they are written. */
export class DeliveryLogNotifier {
  readonly #faults = new FaultLog();
  #waiting: LoggedAttempt[] = [];
  #passing: Promise<void> | null = null;

  constructor(private readonly log: DeliveryLog) {}

  /** True when the log wants the outcome's attempt stored. */
  keeps(outcome: Outcome): boolean {
    const logged = loggedOf(outcome);
    if (logged === null) return false;
    try {
      return this.log.keeps(logged);
    } catch (error) {
      // Thrown on, it would keep outcomes from being written, and webhooks would be sent twice.
      this.#faults.report('The delivery log failed to judge an attempt', error);
      return true;
    }
  }

  /** Passes written attempts to the log, one set after the other. */
  tell(outcomes: readonly Outcome[]): void {
    if (this.log.written === undefined) return;
    for (const outcome of outcomes) {
      const logged = loggedOf(outcome);
      if (logged !== null) this.#waiting.push(logged);
    }
    const excess = this.#waiting.length - MOST_WAITING;
    if (excess > 0) {
      this.#waiting.splice(0, excess);
      this.#faults.tell(
        `The delivery log is too slow: ${excess} attempt(s) were not passed to written(). Make written() faster.`,
      );
    }
    if (this.#waiting.length > 0) {
      this.#passing ??= this.#passOn().finally(() => (this.#passing = null));
    }
  }

  /** Resolves when all attempts have been passed on. */
  async idle(): Promise<void> {
    while (this.#passing !== null) await this.#passing;
  }

  async #passOn(): Promise<void> {
    while (this.#waiting.length > 0) {
      const set = this.#waiting.splice(0, LONGEST_SET);
      try {
        await this.log.written?.(set);
      } catch (error) {
        this.#faults.report(`The delivery log failed on ${set.length} attempt(s)`, error);
      }
    }
  }
}

function loggedOf({ requests, attempt, state, host }: Outcome): LoggedAttempt | null {
  return attempt === null ? null : { number: requests, attempt, status: state.status, host };
}
