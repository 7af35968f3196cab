import { InvalidInputError } from '../errors/index.js';

/**
 * Turns a message's body, already reduced to plain JSON values, into text or bytes of another content type.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ codecs: { 'application/yaml': (body) => stringify(body) } });
 * ```
 */
export type Codec = (body: unknown) => string | Uint8Array;

/** The content types that a subscriber may ask for: JSON, the form encoding, and what the options register. */
export class Codecs {
  readonly #codecs = new Map<string, Codec>();

  constructor(registered: Readonly<Record<string, Codec>> = {}) {
    for (const [contentType, codec] of Object.entries(registered))
      this.#codecs.set(contentType, codec);
  }

  /** Every content type that can be asked for. */
  get contentTypes(): readonly string[] {
    return ['application/json', ...this.#codecs.keys()];
  }

  /**
   * The JSON bytes of a value.
   *
   * @throws {@link InvalidInputError} naming the path of a value that cannot be encoded
   */
  encode(value: unknown): Buffer {
    return Buffer.from(JSON.stringify(value));
  }

  /** Makes the bytes of another content type from the JSON bytes. */
  transcode(json: Buffer, contentType: string): Buffer {
    const codec = this.#codecs.get(contentType);
    if (codec === undefined) {
      throw new InvalidInputError('contentType', `must be one of ${this.contentTypes.join(', ')}`, {
        contentType,
      });
    }
    const encoded = codec(JSON.parse(json.toString()));
    return typeof encoded === 'string' ? Buffer.from(encoded) : Buffer.from(encoded);
  }
}
