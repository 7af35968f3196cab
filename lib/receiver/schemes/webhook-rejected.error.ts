import { ThornError } from '../../errors/index.js';

/**
 * Reasons for which a webhook is rejected.
 *
 * - `missing-header`, `malformed-header`: the request is not signed in the way of the scheme
 * - `too-old`, `too-new`: the timestamp is further away than the tolerance allows
 * - `wrong-signature`: none of its signatures was made with one of the secrets over these bytes
 * - `unreadable-body`: the signature is valid, but the body does not fit its content type
 */
export type RejectionReason =
  | 'missing-header'
  | 'malformed-header'
  | 'too-old'
  | 'too-new'
  | 'wrong-signature'
  | 'unreadable-body';

/**
 * Thrown when a webhook could not be verified, by schemes and by `verifyWebhook()`. The reason is for the operator; the
 * response to the sender does not contain it.
 */
export class WebhookRejectedError extends ThornError {
  readonly code = 'THORN_WEBHOOK_REJECTED';

  /** @param explanation a sentence part for the operator, without anything that was received */
  constructor(
    readonly reason: RejectionReason,
    readonly explanation: string,
  ) {
    super(`The webhook is rejected: ${explanation}`, { reason });
  }
}
