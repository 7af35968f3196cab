import { Injectable } from '@nestjs/common';
import { OptionChecks } from '../common/option-checks.js';
import { InvalidInputError, ThornConfigurationError } from '../errors/index.js';
import { BodySettings, type Codec } from './body-settings.js';

const JSON_TYPE = 'application/json';
// RFC 9110, section 8.3.1, in lower case: a subscriber's content type is compared as it stands.
const MEDIA_TYPE = /^[a-z0-9!#$%&'*+.^_`|~-]+\/[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** The content types that a subscriber may ask for: JSON, the form encoding, and the codecs of the options. */
@Injectable()
export class Codecs {
  readonly #codecs = new Map<string, Codec>([['application/x-www-form-urlencoded', encodeForm]]);

  /**
   * @param settings codecs by media type; one for the form encoding replaces the library's own
   * @throws {@link ThornConfigurationError} for a name that is not a media type, or a codec that is not a function
   */
  constructor({ codecs: registered = {} }: BodySettings = {}) {
    new OptionChecks('').object('codecs', registered);
    for (const [contentType, codec] of Object.entries(registered)) {
      checkCodec(contentType, codec);
      this.#codecs.set(contentType, codec);
    }
  }

  /** Every content type that can be asked for. */
  get contentTypes(): readonly string[] {
    return [JSON_TYPE, ...this.#codecs.keys()];
  }

  /**
   * Makes the bytes of a content type from the JSON text.
   *
   * @throws {@link InvalidInputError} when no codec is registered for it
   */
  transcode(json: string, contentType: string): Buffer {
    if (contentType === JSON_TYPE) return Buffer.from(json);
    const codec = this.#codecs.get(contentType);
    if (codec === undefined) {
      throw new InvalidInputError('contentType', `must be one of ${this.contentTypes.join(', ')}`, {
        contentType,
      });
    }
    const encoded: unknown = codec(JSON.parse(json));
    if (typeof encoded === 'string') return Buffer.from(encoded);
    if (encoded instanceof Uint8Array) return Buffer.from(encoded);
    throw new ThornConfigurationError(
      'THORN_CODEC_INVALID',
      `The codec for ${contentType} must return a text or bytes; it returned ${encoded === null ? 'null' : typeof encoded}`,
      { contentType },
    );
  }
}

function checkCodec(contentType: string, codec: unknown): void {
  if (contentType === JSON_TYPE) {
    throw new ThornConfigurationError(
      'THORN_CODEC_INVALID',
      'codecs: application/json cannot be replaced, other content types are made from it; use envelope to change the body',
      { contentType },
    );
  }
  if (!MEDIA_TYPE.test(contentType)) {
    throw new ThornConfigurationError(
      'THORN_CODEC_INVALID',
      `codecs: ${JSON.stringify(contentType)} is not a media type. Write it in lower case and without parameters, such as application/yaml`,
      { contentType },
    );
  }
  if (typeof codec !== 'function') {
    throw new ThornConfigurationError(
      'THORN_CODEC_INVALID',
      `codecs: the codec for ${contentType} must be a function of the body that returns a text or bytes`,
      { contentType },
    );
  }
}

/**
 * Codec of `application/x-www-form-urlencoded`, with nested data in the bracket convention that PHP, Rails and the
 * `qs` package read: `data[tags][0]=a`. Null is written as nothing (`ref=`), empty lists and objects are left out,
 * numbers and booleans are written as in JSON. All values are texts to the receiver: send values that
 * must keep their type as JSON.
 *
 * @throws {@link InvalidInputError} when the body is not an object or list, so that there is no field to name, or has a
 * name that brackets cannot hold
 */
export function encodeForm(body: unknown): string {
  if (typeof body !== 'object' || body === null) {
    throw new InvalidInputError('data', 'must be an object or a list to be sent as a form');
  }
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(body)) append(form, checkedName(name), value);
  return form.toString();
}

function append(form: URLSearchParams, name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    form.append(name, value === null ? '' : String(value));
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    append(form, `${name}[${checkedName(key)}]`, inner);
  }
}

/** Receivers would read the name as another one, or not at all. */
function checkedName(name: string): string {
  if (name !== '' && name !== '__proto__' && !/[[\]]/.test(name)) return name;
  throw new InvalidInputError(
    'data',
    `has the name ${JSON.stringify(name)}, which a form cannot hold; rename it, or send JSON`,
  );
}
