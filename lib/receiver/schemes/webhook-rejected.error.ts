import { ThornError } from '../../errors/index.js';

/**
 * Why a webhook is refused.
 *
 * - `missing-header`, `malformed-header`: it is not signed in the way of the scheme
 * - `too-old`, `too-new`: its timestamp is further away than the tolerance allows
 * - `wrong-signature`: none of its signatures was made with one of the secrets over these bytes
 * - `unreadable-body`: the signature is right, but the body is not what its content type says
 */
export type RejectionReason =
  | 'missing-header'
  | 'malformed-header'
  | 'too-old'
  | 'too-new'
  | 'wrong-signature'
  | 'unreadable-body';

/**
 * Thrown when a webhook could not be verified, by schemes and by `verifyWebhook()`. The reason is for the operator;
 * whoever sent the request is told nothing but that it was refused.
 */
export class WebhookRejectedError extends ThornError {
  readonly code = 'THORN_WEBHOOK_REJECTED';

  /** @param explanation a sentence part for the operator, without anything that was received */
  constructor(
    readonly reason: RejectionReason,
    readonly explanation: string,
  ) {
    super(`The webhook is refused: ${explanation}`, { reason });
  }
}
