import type { Attempt } from '../../delivery/index.js';
import type { Outcome } from '../outcome.js';
import type { HeldLease } from '../store/held-leases.js';
import type { DeliveryJob } from '../store/delivery-job.js';

/** The part of an outcome that the attempt decides, or that there was no attempt. */
export type AttemptResult = Pick<Outcome, 'state' | 'attempt' | 'at' | 'disablesSubscriber'>;

/** The outcome of a job. A class, because an object literal with a getter takes a microsecond to make. */
class JobOutcome implements Outcome {
  readonly id: string;
  readonly messageId: string;
  readonly subscriberId: string;
  readonly event: string;
  readonly host: string;
  readonly state: Outcome['state'];
  readonly requests: number;
  readonly previousAttemptAt: number | null;
  readonly attemptedAt: number | null;
  readonly keyHash: string | null;
  readonly isNew: boolean;
  readonly at: number;
  readonly attempt: Attempt | null;
  readonly disablesSubscriber: boolean;
  readonly #heldLease: HeldLease;

  constructor(job: DeliveryJob, { state, attempt, at, disablesSubscriber }: AttemptResult) {
    this.id = job.id;
    this.messageId = job.message.id;
    this.subscriberId = job.recipient.id;
    this.event = job.message.event;
    this.host = job.host;
    this.state = state;
    this.requests = job.requests + (attempt === null ? 0 : 1);
    this.previousAttemptAt = job.attemptedAt;
    this.attemptedAt = attempt?.startedAt ?? job.attemptedAt;
    this.keyHash = job.keyHash;
    this.isNew = job.heldMessage !== null;
    this.at = at;
    this.attempt = attempt;
    this.disablesSubscriber = disablesSubscriber;
    this.#heldLease = job.heldLease;
  }

  /** Read when the outcome is written: this process may have claimed the delivery again by then. */
  get lease(): string {
    return this.#heldLease.token;
  }
}

/**
 * Adds the outcome of a job to the next set that is written. A message is finished with the outcome of its last delivery without
 * a row.
 */
export function record(job: DeliveryJob, result: AttemptResult): Outcome {
  const { store, heldMessage } = job;
  const outcome = new JobOutcome(job, result);
  store.recorder.add(outcome);
  if (heldMessage !== null && --heldMessage.open === 0) store.recorder.finish(heldMessage);
  return outcome;
}
