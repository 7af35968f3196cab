import { isObject } from '../common/objects.js';
import { InvalidInputError } from '../errors/index.js';
import type { Codecs } from './codecs.js';
import type { Recipient } from './recipient.js';
import type { MessageSettings } from './message-settings.js';

/**
 * Which subscribers may get a message. `everyone`: all that match, because the event declares no owner. `owner`: the
 * matching subscribers of the message's owner, and the matching ones without an owner. When an event declares an owner
 * and the value turns out empty, only subscribers without an owner get the message.
 */
export type Audience = 'everyone' | 'owner';

/** The parts of a message, without its body. */
export interface MessageFields {
  /** `msg_` and a UUIDv7, or the id that was given to `send()`; the same on every attempt. */
  readonly id: string;
  readonly event: string;
  /** When the event happened, in milliseconds since the Unix epoch. */
  readonly time: number;
  readonly ref: string | null;
  /** What the message is about, by which the log finds it. Default null: nothing is known. */
  readonly subject?: string | null;
  readonly owner: string | null;
  readonly audience: Audience;
  /** Extra HTTP headers; never able to replace a system header. */
  readonly headers: Readonly<Record<string, string>>;
  readonly settings: MessageSettings;
  /** Subscribers that get this message only, in addition to the subscribers that match. */
  readonly recipients: readonly Recipient[];
  /** W3C Trace Context of the place where the message was made; see `MessageTracing`. Default null: none. */
  readonly traceparent?: string | null;
  /** The `tracestate` that belongs to the `traceparent`; up to 512 characters. Default null: none. */
  readonly tracestate?: string | null;
  /** The messages of one key have an order; see docs/order.md. Default null: this one has none. */
  readonly key?: string | null;
  /** The number of the message among the messages of its key. Default null: it has no number yet. */
  readonly sequence?: number | null;
  /** True if the id was made with the message, so that no other message has it. Default false. */
  readonly isIdNew?: boolean;
}

/** Bytes of other bodies that a message keeps. Once it has that many, a further body is made for each recipient. */
const MOST_SHAPED_BYTES = 1_048_576;

/**
 * One occurrence of an event. Its bytes are made once per content type, on first use, and all its deliveries share
 * them.
 */
export class Message implements MessageFields {
  readonly id: string;
  readonly event: string;
  readonly time: number;
  readonly ref: string | null;
  readonly subject: string | null;
  readonly owner: string | null;
  readonly audience: Audience;
  readonly headers: Readonly<Record<string, string>>;
  readonly settings: MessageSettings;
  readonly recipients: readonly Recipient[];
  readonly traceparent: string | null;
  readonly tracestate: string | null;
  readonly key: string | null;
  readonly isIdNew: boolean;
  #sequence: number | null;
  #json: Buffer | undefined;
  // Bodies of other content types than JSON. Few messages need one, so the map is made on first use.
  #bodies: Map<string, Buffer> | undefined;
  #shaped: Map<string, Buffer> | undefined;
  #shapedBytes = 0;

  /** @param text the body as JSON, without what {@link number} adds */
  constructor(
    fields: MessageFields,
    readonly text: string,
    private readonly codecs: Codecs,
  ) {
    this.id = fields.id;
    this.event = fields.event;
    this.time = fields.time;
    this.ref = fields.ref;
    this.subject = fields.subject ?? null;
    this.owner = fields.owner;
    this.audience = fields.audience;
    this.headers = fields.headers;
    this.settings = fields.settings;
    this.recipients = fields.recipients;
    this.traceparent = fields.traceparent ?? null;
    this.tracestate = fields.tracestate ?? null;
    this.key = fields.key ?? null;
    this.isIdNew = fields.isIdNew ?? false;
    this.#sequence = fields.sequence ?? null;
  }

  /**
   * The number of the message among the messages of its key; null without a key, and until a strategy has numbered it.
   */
  get sequence(): number | null {
    return this.#sequence;
  }

  /** Numbers the message among the messages of its key, before its first delivery. */
  number(sequence: number): void {
    this.#sequence = sequence;
    this.#json = undefined;
    this.#bodies = undefined;
    this.#shaped = undefined;
    this.#shapedBytes = 0;
  }

  /** The body as JSON: the exact bytes that are signed and sent, and the source of other content types. */
  get json(): Buffer {
    return (this.#json ??= Buffer.from(this.#numberedText()));
  }

  /**
   * Returns the bytes to send to a subscriber that asked for `contentType`.
   *
   * @throws `InvalidInputError` when no codec is registered for it
   */
  body(contentType: string): Buffer {
    if (contentType === 'application/json') return this.json;
    let bytes = this.#bodies?.get(contentType);
    if (bytes === undefined) {
      bytes = this.codecs.transcode(this.#numberedText(), contentType);
      (this.#bodies ??= new Map()).set(contentType, bytes);
    }
    return bytes;
  }

  /**
   * Returns the bytes of another body of the message. They are made once for all recipients of the same shape, until such
   * bodies have a MiB together.
   *
   * @param shape a text that is the same for the same body
   * @param make makes the body as JSON
   */
  shaped(contentType: string, shape: string, make: () => string): Buffer {
    const key = `${contentType} ${shape}`;
    const kept = this.#shaped?.get(key);
    if (kept !== undefined) return kept;
    const bytes = this.codecs.transcode(make(), contentType);
    if (this.#shapedBytes < MOST_SHAPED_BYTES) {
      (this.#shaped ??= new Map()).set(key, bytes);
      this.#shapedBytes += bytes.length;
    }
    return bytes;
  }

  /**
   * The data of the message as formats get it: plain JSON values, parsed from the body at each call.
   *
   * @throws `InvalidInputError` when the body has none, which an envelope of the application's own may leave out
   */
  get data(): unknown {
    const body: unknown = JSON.parse(this.text);
    if (isObject(body) && 'data' in body) return body['data'];
    throw new InvalidInputError(
      'envelope',
      'must have the member "data", because formats make their bodies of it',
    );
  }

  #numberedText(): string {
    const { key, sequence, text } = this;
    const isNumbered = key !== null && sequence !== null && this.settings.orderInBody === true;
    return isNumbered ? withOrder(text, { key, sequence }) : text;
  }
}

/** Puts members at the end of an object in JSON; another JSON is left as it is. */
function withOrder(json: string, order: object): string {
  if (!json.startsWith('{')) return json;
  const separator = json === '{}' ? '' : ',';
  return json.slice(0, -1) + separator + JSON.stringify(order).slice(1);
}

// Standard Webhooks signs `id.timestamp.body`: an id that contains a dot could be read as another id and timestamp.
const MESSAGE_ID = /^[\x21-\x2d\x2f-\x7e]{1,64}$/;

/**
 * Checks the id that an application gives a message.
 *
 * @throws {@link InvalidInputError} for the field `id`
 */
export function checkMessageId(id: unknown): asserts id is string {
  if (typeof id === 'string' && MESSAGE_ID.test(id)) return;
  throw new InvalidInputError(
    'id',
    'must be 1 to 64 printable ASCII characters, none of them a dot or a blank',
  );
}
