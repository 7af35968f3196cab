/** The default body of a webhook, that of Standard Webhooks, with two properties of the library's own. */
export interface Envelope {
  /** The event's name. */
  readonly type: string;
  /** When the event happened: ISO 8601 with milliseconds, UTC. */
  readonly timestamp: string;
  /** The URL of the thing, or null. Present where the event declares `ref`. */
  readonly ref?: string | null;
  /** The owner whose subscribers get the message, or null. Present where the event declares `owner`. */
  readonly owner?: string | null;
  /** What has made the event happen. Present where the event knows which fields have changed. */
  readonly trigger?: Trigger;
  readonly data: unknown;
}

/** The maximum length of the name of a changed field, in characters. */
export const MAX_CHANGED_LENGTH = 128;

/** What has made an event happen. */
export interface Trigger {
  /** The names of the fields that have changed, without their values. */
  readonly changed: readonly string[];
}

/** The body as Thorn for Django sends it. */
interface ThornEnvelope {
  /** The event's name. */
  readonly event: string;
  readonly ref: string | null;
  /** The owner of the event. */
  readonly sender: string | null;
  readonly data: unknown;
}

/** Makes a body of another shape from the default envelope. */
export type EnvelopeFunction = (envelope: Envelope) => unknown;

/** Shape of the bodies. */
export type EnvelopeOption = 'standard' | 'thorn' | EnvelopeFunction;

/** Makes the body of a message in the shape that the option names. */
export function applyEnvelope(option: EnvelopeOption, envelope: Envelope): unknown {
  if (typeof option === 'function') return option(envelope);
  return option === 'thorn' ? toThornEnvelope(envelope) : envelope;
}

/** The name of the shape that the option asks for. */
export function envelopeName(option: EnvelopeOption = 'standard'): EnvelopeName {
  return typeof option === 'function' ? 'custom' : option;
}

function toThornEnvelope({ type, ref = null, owner = null, data }: Envelope): ThornEnvelope {
  return { event: type, ref, sender: owner, data };
}

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
