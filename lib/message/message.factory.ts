import { Injectable } from '@nestjs/common';
import { Clock } from '../common/time.js';
import { newId } from '../common/id.js';
import { isObject } from '../common/objects.js';
import { InvalidInputError } from '../errors/index.js';
import { checkHeaders } from './header-checks.js';
import { BodySettings } from './body-settings.js';
import { applyEnvelope, type Envelope, type EnvelopeOption } from './envelope.js';
import { Codecs } from './codecs.js';
import type { MessageSettings } from './message-settings.js';
import { encodeJson } from './encode-json.js';
import { keyTextOf, type OrderSetting } from './order-key.js';
import { checkMessageId, type Audience, Message } from './message.js';
import { subjectOf } from './subject.js';
import { MessageTracing, NoTracing } from './message-tracing.js';
import type { Recipient } from './recipient.js';

/** Most characters that are stored. */
export const MAX_TRACESTATE = 512;
const LONG_MEMBER = 128;

/**
 * Shortens a `tracestate` by whole members: long members first, then the last members, which are the oldest.
 *
 * @returns null when nothing is left
 * @see https://www.w3.org/TR/trace-context/#tracestate-limits
 */
export function boundedTracestate(tracestate: string | null): string | null {
  // Other characters than printable ASCII would not make a header.
  if (tracestate === null || !/^[\x20-\x7e]+$/.test(tracestate)) return null;
  const members = tracestate.split(',');
  const length = () => members.join(',').length;
  for (let at = members.length - 1; at >= 0 && length() > MAX_TRACESTATE; at--) {
    if (members[at]!.length > LONG_MEMBER) members.splice(at, 1);
  }
  while (length() > MAX_TRACESTATE) members.pop();
  return members.join(',') || null;
}

/** The parts of a new message; everything but the event has a default. */
export interface MessageDraft {
  /** Default: a new one. */
  readonly id?: string;
  readonly event: string;
  readonly data?: unknown;
  /** URL of the thing, or null. Default: the event declares none, and the body has no `ref`. */
  readonly ref?: string | null | undefined;
  /** What the message is about. Default: the id of its data, else its key, else its ref. */
  readonly subject?: unknown;
  /** Default null. */
  readonly owner?: string | null;
  /** `owner`: the event declares an owner, and the body names it. Default `everyone`. */
  readonly audience?: Audience;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly settings?: MessageSettings;
  readonly recipients?: readonly Recipient[];
  /** The names of the fields that have changed, which the body shows as `trigger`. Default: not known. */
  readonly changed?: readonly string[] | undefined;
  /** The key that messages are ordered by. Default: none. */
  readonly orderBy?: OrderSetting<unknown> | undefined;
}

type EnvelopeParts = { -readonly [Part in keyof Envelope]?: Envelope[Part] };

/** Creates messages: id and time from the clock, the body encoded at once so that bad data fails the caller. */
@Injectable()
export class MessageFactory {
  readonly #envelope: EnvelopeOption;
  /** URL that relative references are resolved against. */
  readonly baseUrl: string | undefined;
  readonly #orderInBody: boolean;

  constructor(
    private readonly clock: Clock,
    private readonly codecs: Codecs,
    settings: BodySettings = {},
    private readonly tracing: MessageTracing = new NoTracing(),
  ) {
    this.#envelope = settings.envelope ?? 'standard';
    this.baseUrl = settings.baseUrl;
    this.#orderInBody = settings.orderInBody ?? false;
  }

  /** @throws {@link InvalidInputError} naming a refused id or header, or the path of a value that cannot be encoded */
  create(draft: MessageDraft): Message {
    if (draft.id !== undefined) checkMessageId(draft.id);
    if (draft.headers !== undefined) checkHeaders(draft.headers);
    const key = draft.orderBy === undefined ? null : keyTextOf(draft.orderBy);
    const time = this.clock.now();
    const ref = this.#resolve(draft.ref ?? null);
    const owner = draft.owner ?? null;
    const settings = this.#settingsOf(draft, key);
    const isNumbered = key !== null && settings.orderInBody === true;
    const text = this.#textOf(draft, time, ref, owner, isNumbered);
    const id = draft.id ?? newId('msg_', time);
    const origin = this.tracing.made({ id, event: draft.event });
    return new Message(
      {
        id,
        event: draft.event,
        time,
        ref,
        subject: subjectOf(draft.subject, [draft.data, key, ref]),
        owner,
        audience: draft.audience ?? 'everyone',
        headers: draft.headers ?? {},
        settings,
        recipients: draft.recipients ?? [],
        traceparent: origin?.traceparent ?? null,
        tracestate: boundedTracestate(origin?.tracestate ?? null),
        key,
        isIdNew: draft.id === undefined,
      },
      text,
      this.codecs,
    );
  }

  #textOf(
    { event, ref, audience, changed, data }: MessageDraft,
    time: number,
    resolvedRef: string | null,
    owner: string | null,
    isNumbered: boolean,
  ): string {
    // Filled in step by step: spreads into a new object cost more than the object.
    const parts: EnvelopeParts = { type: event, timestamp: new Date(time).toISOString() };
    if (ref !== undefined) parts.ref = resolvedRef;
    if (audience === 'owner') parts.owner = owner;
    if (changed !== undefined) parts.trigger = { changed };
    // The last one, as readers of a body expect.
    parts.data = data ?? {};
    const body = applyEnvelope(this.#envelope, parts as Envelope);
    if (isNumbered && isObject(body) && ('key' in body || 'sequence' in body)) {
      throw new InvalidInputError(
        'envelope',
        'must not return `key` or `sequence`, which `orderInBody` adds; rename them, or leave out `orderInBody`',
      );
    }
    return encodeJson(body);
  }

  /** The module's setting travels with the message: its retries are the same, wherever they are made. */
  #settingsOf({ settings = {} }: MessageDraft, key: string | null): MessageSettings {
    return key !== null && this.#orderInBody ? { orderInBody: true, ...settings } : settings;
  }

  #resolve(ref: string | null): string | null {
    if (ref === null || this.baseUrl === undefined) return ref;
    try {
      return new URL(ref, this.baseUrl).href;
    } catch {
      throw new InvalidInputError('ref', 'must be a URL, or a path that follows the baseUrl');
    }
  }
}
