/** The shape of a request's body: one of the two that come with the library, or one made by the application. */
export type EnvelopeName = 'standard' | 'thorn' | 'custom';

/**
 * The form of requests that the module's options `envelope`, `signing` and `orderInBody` ask for; documents and the REST
 * API show it.
 */
export class WireFormat {
  /**
   * @param hookHmac true: requests carry `Hook-HMAC`, so that a subscriber's digest matters
   * @param orderInBody true: bodies of messages with a key have `key` and `sequence`
   */
  constructor(
    readonly envelope: EnvelopeName = 'standard',
    readonly hookHmac = false,
    readonly orderInBody = false,
  ) {}
}
