import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../common/time.js';
import { FaultLog, type LogFacts, LogLine, errorText } from '../common/log.js';
import { OptionChecks } from '../common/option-checks.js';
import { InvalidInputError } from '../errors/index.js';
import { type EncodedRequest, WebhookFormats } from '../message/webhook-formats.js';
import { checkHeaders } from '../message/header-checks.js';
import type { Message } from '../message/message.js';
import { MessageTracing, NoTracing } from '../message/message-tracing.js';
import { type OAuth2Auth, type Recipient, hostOf } from '../message/recipient.js';
import { keyHeader } from '../message/order-key.js';
import { StandardWebhookSigner, UnsubscribeLinks, WebhookSigner } from '../signing/index.js';
import {
  answeredAttempt,
  type Attempt,
  type AttemptBounds,
  AttemptError,
  type AttemptFrame,
  failedAttempt,
} from './attempt/attempt.js';
import { AnswerHeaders, type AnswerHeaderOptions } from './attempt/answer-headers.js';
import { AccessTokens, basic, type TokenRequest } from './access-tokens.js';
import { EndpointFailureLog } from './endpoint-failure-log.js';
import { RecipientPolicies } from './recipient-policy/event-recipient-policies.js';
import type { RecipientPolicy } from './recipient-policy/recipient-policy.js';
import { WebhookHttpClient, type WebhookResponse } from './http/webhook-http-client.js';

/** The options of the module for making requests and for keeping parts of their answers. */
export abstract class DeliverySettings {
  /** Deadline of one whole request in milliseconds, unless the event or the subscriber sets another. Default 15,000. */
  abstract readonly timeout?: number;
  /** Default `nestjs-thorn`. */
  abstract readonly userAgent?: string;
  /** The headers of answers that attempts keep. Default: a few, of attempts that failed. */
  abstract readonly answerHeaders?: AnswerHeaderOptions;
}

/** Milliseconds that a request may take where no setting says otherwise. */
export const DEFAULT_TIMEOUT = 15_000;

const NO_HEADERS: Readonly<Record<string, string>> = {};
const USER_AGENT = /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/;

/**
 * Makes single attempts of deliveries: encodes, signs and posts a message, and returns the result. Independent of
 * queues. Inject it: the module constructs it.
 */
@Injectable()
export class Deliverer {
  readonly #logger = new Logger('Thorn');
  readonly #faults = new FaultLog();
  readonly #failures = new EndpointFailureLog();
  readonly #timeout: number;
  readonly #userAgent: string;
  readonly #tokens: AccessTokens;
  readonly #answerHeaders: AnswerHeaders;
  /** True when no part of the application names headers that no check has seen. */
  readonly #hasOwnNames: boolean;

  /**
   * @param policies finds the policy of events with rules of their own; default: the client's policy judges all requests
   * @param links makes the `Hook-Unsubscribe` links of stored subscribers; default: no links are sent
   * @throws {@link ThornConfigurationError} naming the invalid option
   * @internal
   */
  constructor(
    private readonly httpClient: WebhookHttpClient,
    private readonly signer: WebhookSigner,
    private readonly clock: Clock,
    { timeout = DEFAULT_TIMEOUT, userAgent = 'nestjs-thorn', answerHeaders }: DeliverySettings = {},
    private readonly formats: WebhookFormats = new WebhookFormats(),
    private readonly tracing: MessageTracing = new NoTracing(),
    private readonly policies?: RecipientPolicies,
    @Inject(UnsubscribeLinks) private readonly links: UnsubscribeLinks | null = null,
  ) {
    const check = new OptionChecks('');
    check.integer('timeout', timeout, { unit: 'milliseconds' });
    check.assert(
      'userAgent',
      typeof userAgent === 'string' && USER_AGENT.test(userAgent),
      'must be up to 256 printable ASCII characters',
    );
    this.#timeout = timeout;
    this.#userAgent = userAgent;
    this.#tokens = new AccessTokens(httpClient, clock, userAgent);
    this.#answerHeaders = new AnswerHeaders(answerHeaders);
    this.#hasOwnNames =
      signer.constructor === StandardWebhookSigner && this.tracing instanceof NoTracing;
  }

  /**
   * Posts a message to a recipient once, signed with the current timestamp. Any 2xx succeeds, everything else fails.
   *
   * @param delivery the delivery of this attempt; its id is the same on every attempt. `number`: the number of this
   * request, from 1. `bounds`: by when it has to be over. `token`: what {@link awaitedToken} returned; default: the
   * attempt itself asks for an access token
   * @returns never rejects: every error is part of the attempt
   */
  attempt(
    delivery: {
      readonly id: string;
      readonly number?: number;
      readonly bounds?: AttemptBounds | undefined;
      readonly token?: Promise<string> | undefined;
    },
    message: Message,
    recipient: Recipient,
  ): Promise<Attempt> {
    const { id, number = null, bounds, token } = delivery;
    return this.tracing.attempt({ delivery: id, number, message, recipient }, (tracing) => {
      const startedAt = this.clock.now();
      const sent = { delivery: id, number, message, recipient, startedAt, tracing, bounds };
      const frame = { ...sent, tokens: [], token };
      try {
        return this.#post(frame).then(
          (response) =>
            this.#noted(
              frame,
              answeredAttempt(frame, response, this.clock.now(), this.#answerHeaders),
            ),
          (error: unknown) => this.#failed(frame, error),
        );
      } catch (error) {
        return Promise.resolve(this.#failed(frame, error));
      }
    });
  }

  /**
   * Asks for the access token of a subscriber that needs one, so that an attempt does not begin before it has come.
   *
   * @returns null when an attempt would not wait for a token
   */
  awaitedToken(message: Message, recipient: Recipient): Promise<string> | null {
    const { auth } = recipient;
    if (auth?.type !== 'oauth2') return null;
    const asked = { message, recipient };
    return this.#tokens.awaited(this.#tokenRequest(asked, auth, this.#timeoutOf(asked)));
  }

  /** A probe has no number: its result goes to the caller that asked for it, not to the log. */
  #noted({ number, recipient }: NumberedFrame, attempt: Attempt): Attempt {
    if (number !== null) this.#failures.heed(attempt, recipient);
    return attempt;
  }

  #post(frame: NumberedFrame): Promise<WebhookResponse> {
    const encoded = this.#encoded(frame);
    const { auth } = frame.recipient;
    if (auth === undefined || auth === null) return this.#signAndSend(frame, encoded);
    switch (auth.type) {
      case 'bearer':
        return this.#signAndSend({ ...frame, authorization: bearer(auth.token) }, encoded);
      case 'basic': {
        const authorization = basic(auth.username, auth.password);
        return this.#signAndSend({ ...frame, authorization }, encoded);
      }
      case 'oauth2':
        return this.#sendWithToken(frame, encoded, auth);
    }
  }

  /** Asks for a token, and once for another one when the endpoint refuses it, all within the time of one request. */
  async #sendWithToken(
    frame: NumberedFrame,
    encoded: EncodedRequest,
    auth: OAuth2Auth,
  ): Promise<WebhookResponse> {
    const { bounds } = frame;
    const endsAt = performance.now() + this.#timeoutOf(frame);
    const timeLeft = () =>
      Math.min(endsAt - performance.now(), bounds?.timeLeft() ?? Number.POSITIVE_INFINITY);
    const send = (token: string) => {
      frame.tokens.push(token);
      const authorization = bearer(token);
      return this.#signAndSend({ ...frame, bounds: { timeLeft }, authorization }, encoded);
    };
    const request = () => this.#tokenRequest(frame, auth, timeLeft());
    const token = await (frame.token ?? this.#tokens.of(request()));
    const answer = await send(token);
    return answer.status === 401 ? send(await this.#tokens.renewed(request(), token)) : answer;
  }

  #tokenRequest(
    { message, recipient }: Pick<AttemptFrame, 'message' | 'recipient'>,
    auth: OAuth2Auth,
    timeout: number,
  ): TokenRequest {
    return { subscriber: recipient.id, auth, timeout, policy: this.#policyOf({ message }) };
  }

  #signAndSend(frame: AttemptFrame, encoded: EncodedRequest): Promise<WebhookResponse> {
    const signature = this.#sign(frame, encoded.body);
    return signature instanceof Promise
      ? signature.then((headers) => this.#send(frame, encoded, headers))
      : this.#send(frame, encoded, signature);
  }

  #encoded({ message, recipient }: AttemptFrame): EncodedRequest {
    const encoded = encodedBy(this.formats, message, recipient);
    const { maxBytes } = this.formats.rulesOf(recipient);
    if (maxBytes !== undefined && encoded.body.length > maxBytes) {
      const text = `The body has ${encoded.body.length} bytes; its format "${recipient.format}" allows ${maxBytes}`;
      throw new AttemptError('too-large', text, { bytes: encoded.body.length, maxBytes });
    }
    return encoded;
  }

  #sign(
    { message, recipient, startedAt }: AttemptFrame,
    body: Buffer,
  ): ReturnType<WebhookSigner['sign']> {
    const { id, event } = message;
    return this.signer.sign({ id, event, time: startedAt, body, recipient });
  }

  #headers(
    { delivery, message, recipient, tracing, authorization }: AttemptFrame,
    { contentType, headers }: EncodedRequest,
    signature: Readonly<Record<string, string>>,
  ): Readonly<Record<string, string>> {
    const own: Record<string, string> = {
      'Content-Type': contentType,
      'User-Agent': this.#userAgent,
    };
    if (authorization !== undefined) own['Authorization'] = authorization;
    const given = recipient.headers ?? NO_HEADERS;
    if (headers !== null) {
      const signed = withoutHookHeaders(signature);
      return mergeHeaders([given, message.headers, headers, tracing ?? {}, signed, own]);
    }
    // Set one by one: spreading objects that may be undefined takes twenty times as long.
    own['Hook-Event'] = message.event;
    own['Hook-Delivery'] = delivery;
    own['Hook-Subscription'] = recipient.id;
    if (message.key !== null) {
      own['Hook-Key'] = keyHeader(message.key);
      if (message.sequence !== null) own['Hook-Sequence'] = String(message.sequence);
    }
    if (this.links !== null && isStored(recipient)) {
      own['Hook-Unsubscribe'] = this.links.of(recipient);
    }
    // Only checked names of one source cannot differ in case alone.
    return this.#hasOwnNames && authorization === undefined && isEmpty(given)
      ? { ...message.headers, ...signature, ...own }
      : mergeHeaders([given, message.headers, tracing ?? {}, signature, own]);
  }

  #send(
    frame: AttemptFrame,
    encoded: EncodedRequest,
    signature: Readonly<Record<string, string>>,
  ): Promise<WebhookResponse> {
    const { message, recipient, bounds } = frame;
    const { keepAlive = true } = message.settings;
    const timeout = this.#timeoutOf(frame);
    const policy = this.#policyOf(frame);
    const timeLeft = bounds && boundedBy(bounds, timeout);
    return this.httpClient.post({
      url: recipient.url,
      headers: this.#headers(frame, encoded, signature),
      body: encoded.body,
      timeout: timeLeft === undefined ? timeout : Math.max(1, Math.ceil(timeLeft())),
      keepAlive,
      ...(timeLeft !== undefined && { timeLeft }),
      ...(policy !== undefined && { policy }),
    });
  }

  #timeoutOf({ message, recipient }: Pick<AttemptFrame, 'message' | 'recipient'>): number {
    return recipient.timeout ?? message.settings.timeout ?? this.#timeout;
  }

  /** The policy of an event with rules of its own. */
  #policyOf({ message }: Pick<AttemptFrame, 'message'>): RecipientPolicy | undefined {
    const { recipients } = message.settings;
    return recipients === undefined ? undefined : this.policies?.of(recipients);
  }

  #failed(frame: NumberedFrame, cause: unknown): Attempt {
    const attempt = failedAttempt(frame, cause, this.clock.now());
    const { code, message } = attempt.error!;
    if (code === 'recipient-refused' || code === 'too-large') {
      const text = `${frame.delivery} (${frame.message.event}) to ${frame.recipient.id}: ${message}.`;
      this.#logger.warn(new LogLine(text, { ...logFacts(frame), reason: code }));
    } else if (code === 'internal' || code === 'unencodable') {
      const what = `Attempt of ${frame.delivery} (${frame.message.event}, ${frame.message.id}) failed`;
      // The place where the codec or the format of the application has failed.
      const origin = cause instanceof AttemptError ? cause.cause : cause;
      this.#faults.report(what, origin, { ...logFacts(frame), reason: code });
    }
    return this.#noted(frame, attempt);
  }
}

interface NumberedFrame extends AttemptFrame {
  /** Number of the delivery's request, from 1; null for a probe. */
  readonly number: number | null;
  /** An access token that was asked for before the attempt began. */
  readonly token: Promise<string> | undefined;
}

function bearer(token: string): string {
  return `Bearer ${token}`;
}

function isEmpty(headers: Readonly<Record<string, string>>): boolean {
  for (const _ in headers) return false;
  return true;
}

function logFacts({ delivery, message, recipient }: AttemptFrame): LogFacts {
  return {
    deliveryId: delivery,
    messageId: message.id,
    subscriberId: recipient.id,
    event: message.event,
    host: hostOf(recipient),
  };
}

/** Merges headers; later ones replace earlier ones whose names differ in case alone. */
function mergeHeaders(
  sources: readonly Readonly<Record<string, string>>[],
): Readonly<Record<string, string>> {
  const merged = new Map<string, [name: string, value: string]>();
  for (const source of sources) {
    for (const entry of Object.entries(source)) merged.set(entry[0].toLowerCase(), entry);
  }
  return Object.fromEntries(merged.values());
}

/** The signature as a format's requests carry it: `Hook-HMAC` is for receivers of the standard form. */
function withoutHookHeaders(
  signature: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(signature).filter(([name]) => !/^hook-/i.test(name)));
}

/** Static subscribers belong to the application's settings, so they cannot unsubscribe. */
function isStored(recipient: Recipient): boolean {
  return 'owner' in recipient;
}

/** The time that is left of a request's own timeout, which begins now, and of its bounds. */
function boundedBy(bounds: AttemptBounds, timeout: number): () => number {
  const endsAt = performance.now() + timeout;
  return () => Math.min(endsAt - performance.now(), bounds.timeLeft());
}

function encodedBy(
  formats: WebhookFormats,
  message: Message,
  recipient: Recipient,
): EncodedRequest {
  try {
    // Checked when the message was created; a stored message may be older than the rules.
    for (const _ in message.headers) {
      checkHeaders(message.headers);
      break;
    }
    return formats.encode(message, recipient);
  } catch (error) {
    // Whatever is tried again, the template makes the same body.
    if (error instanceof InvalidInputError && error.data['reason'] === 'too-long') {
      const { max: maxBytes } = error.data;
      throw new AttemptError('too-large', `The ${error.message}`, { maxBytes });
    }
    const text = `The message could not be encoded: ${errorText(error)}`;
    throw new AttemptError('unencodable', text, {}, error);
  }
}
