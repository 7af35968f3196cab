import type { EnvelopeOption } from './envelope.js';

/** The options of the module that decide what bodies look like. */
export abstract class BodySettings {
  /** Default `standard`. */
  abstract readonly envelope?: EnvelopeOption | undefined;
  /** URL that relative references are resolved against. Default: they stay relative. */
  abstract readonly baseUrl?: string;
  /** True: key and sequence are in the body as well. Default false. */
  abstract readonly orderInBody?: boolean | undefined;
}
