import { ThornError } from './thorn.error.js';

/** Thrown when the recipient policy refuses a URL, or the address that a connection was about to dial. */
export class RecipientRefusedError extends ThornError {
  readonly code = 'THORN_RECIPIENT_REFUSED';

  /**
   * @param reason a short stable word for the rule that refused, for example `private-address` or `port`
   * @param explanation a sentence part for people, for example `port 22 is not among the allowed ports 80, 443`
   */
  constructor(
    readonly reason: string,
    readonly explanation: string,
    data: Readonly<Record<string, unknown>> = {},
  ) {
    super(`The recipient is refused: ${explanation}`, { reason, ...data });
  }
}
