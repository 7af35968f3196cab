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

/** The module's option for the bodies that subscribers may ask for, besides `fields`. */
export interface ShapeOptions {
  /** True: subscribers may have a `template`. Default false. */
  readonly templates?: boolean;
  /**
   * URL of the REST API as receivers reach it, including the global prefix and the option `api.path`, with which it must end:
   * `https://api.example.com/hooks`. Bodies of
   * subscribers with `thin` lead there. When the API runs in another process than the workers, both need the same
   * options. Default: that of `unsubscribe`; without both, `thin` is refused. With `inline()` it is refused in any case,
   * because no message is stored.
   */
  readonly url?: string;
}

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
  /** The bodies that subscribers may ask for, besides `fields`. Default: none. */
  abstract readonly shapes?: ShapeOptions | undefined;
  /** False: the strategy stores no messages, so that nobody can fetch a body later. Default true. */
  abstract readonly keepsMessages?: boolean | undefined;
  /** Its URL is the default of `shapes.url`. */
  abstract readonly unsubscribe?: { readonly url: string } | undefined;
}
