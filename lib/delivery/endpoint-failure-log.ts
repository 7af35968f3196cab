import { Logger } from '@nestjs/common';
import { BoundedCache } from '../common/collections.js';
import { errorText, LogLine } from '../common/log.js';
import { hostOf, type Recipient } from '../message/recipient.js';
import { type Attempt, OWN_ERRORS } from './attempt/attempt.js';

const REMEMBERED = 20_000;

/**
 * Logs endpoints that fail from their first attempt on: at the 1st failure, the 10th, the 100th and so on. An endpoint
 * that has succeeded once since this process started is left to the delivery log and to the health of subscribers.
 */
export class EndpointFailureLog {
  readonly #logger = new Logger('Thorn');
  readonly #succeeded = new BoundedCache<string, true>(REMEMBERED);
  readonly #failures = new BoundedCache<string, number>(REMEMBERED);

  /** Receives every attempt of a delivery. */
  heed({ outcome, status, error, subscriberId }: Attempt, recipient: Recipient): void {
    if (this.#succeeded.get(subscriberId) !== undefined) return;
    if (outcome === 'succeeded') {
      this.#succeeded.set(subscriberId, true);
      this.#failures.delete(subscriberId);
      return;
    }
    // These failures are logged one by one elsewhere, or say nothing about the endpoint.
    if (error?.code === 'recipient-refused' || OWN_ERRORS.has(error?.code)) return;
    const failures = (this.#failures.get(subscriberId) ?? 0) + 1;
    this.#failures.set(subscriberId, failures);
    if (!Number.isInteger(Math.log10(failures))) return;
    const host = hostOf(recipient);
    const which = failures === 1 ? 'The first attempt' : `All ${failures} attempts`;
    const why = error === null ? `it answered ${status}.` : errorText(error.message);
    this.#logger.warn(
      new LogLine(`${which} at ${host} for ${subscriberId} failed: ${why}`, {
        subscriberId,
        host,
        reason: error?.code ?? 'status',
      }),
    );
  }
}
