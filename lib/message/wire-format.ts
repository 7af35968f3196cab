/** The shape of a request's body: one of the two that come with the library, or one made by the application. */
export type EnvelopeName = 'standard' | 'thorn' | 'custom';

/** The form of requests that the module's options `envelope` and `signing` ask for; documents and the REST API show it. */
export class WireFormat {
  /** @param hookHmac true: requests carry `Hook-HMAC`, so that a subscriber's digest matters */
  constructor(
    readonly envelope: EnvelopeName = 'standard',
    readonly hookHmac = false,
  ) {}
}
