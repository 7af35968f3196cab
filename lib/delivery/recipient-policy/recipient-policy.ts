/**
 * Decides where webhooks may go. Asked twice: with the URL when a subscriber is saved and before every attempt, and
 * with the address that a connection is about to dial, because a name may resolve to anything by then.
 *
 * Pluggable: this class is the injection token; the default is `PublicRecipientPolicy`. Give another with
 * `ThornModule.forRoot({ recipientPolicy: MyPolicy })`.
 * Any implementation must pass `recipientPolicyConformance`.
 */
export abstract class RecipientPolicy {
  /**
   * Judges a URL by what can be known without a look-up: scheme, port, credentials, literal addresses.
   *
   * @returns the parsed URL, so that nobody parses it a second time and differently
   * @throws `RecipientRefusedError` with the rule that refused
   */
  abstract checkUrl(url: string): URL;

  /**
   * Judges one address that the URL's host resolved to; all of them must pass before any is dialled.
   *
   * @param address an IP address in text form
   * @throws `RecipientRefusedError` with the rule that refused
   */
  abstract checkAddress(address: string): void;
}
