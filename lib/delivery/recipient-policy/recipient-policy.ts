/**
 * Decides which recipients are allowed. The policy judges the URL when a subscriber is saved and before every attempt.
 * The policy also judges each address before it is dialled, because a name may resolve differently by then.
 *
 * Pluggable: this class is the injection token; the default is `PublicRecipientPolicy`. Replace it with
 * `ThornModule.forRoot({ recipientPolicy: MyPolicy })`.
 */
export abstract class RecipientPolicy {
  /**
   * Judges a URL without a look-up: scheme, port, credentials, literal addresses.
   *
   * @returns the parsed URL, so that callers do not parse it again and differently
   * @throws `RecipientRefusedError` with the rule that refused
   */
  abstract checkUrl(url: string): URL;

  /**
   * Judges one address that the URL's host resolved to. All addresses of the host must pass before any of them is
   * dialled.
   *
   * @param address an IP address in text form
   * @throws `RecipientRefusedError` with the rule that refused
   */
  abstract checkAddress(address: string): void;
}
