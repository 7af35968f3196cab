import type { EnvelopeOption } from './envelope.js';
import type { WebhookFormat } from './webhook-format.js';

/**
 * Turns a message's body, already reduced to plain JSON values, into text or bytes of another content type.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ codecs: { 'application/yaml': (body) => stringify(body) } });
 * ```
 */
export type Codec = (body: unknown) => string | Uint8Array;

/** The options of the module that decide what bodies look like. */
export abstract class BodySettings {
  /** Default `standard`. */
  abstract readonly envelope?: EnvelopeOption | undefined;
  /** URL that relative references are resolved against. Default: they stay relative. */
  abstract readonly baseUrl?: string;
  /** True: key and sequence are in the body as well. Default false. */
  abstract readonly orderInBody?: boolean | undefined;
  /** Content types besides JSON and the form encoding, by media type. Default: none. */
  abstract readonly codecs?: Readonly<Record<string, Codec>>;
  /** Formats by name, which owners may choose. Default: the standard one alone. */
  abstract readonly formats?: Readonly<Record<string, WebhookFormat>>;
}
