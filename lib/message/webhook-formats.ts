import { Injectable } from '@nestjs/common';
import { OptionChecks } from '../common/option-checks.js';
import { isObject } from '../common/objects.js';
import { InvalidInputError } from '../errors/index.js';
import { BodySettings } from './body-settings.js';
import { envelopeName } from './envelope.js';
import { checkHeaders } from './header-checks.js';
import type { Message } from './message.js';
import type { Recipient } from './recipient.js';
import { MAX_RETRIES, MAX_RETRY_DELAY } from './message-settings.js';
import { BodyShapes } from './shapes/body-shapes.js';
import { type FormatRules, type FormattedRequest, WebhookFormat } from './webhook-format.js';

/** The name of the form that Standard Webhooks describes, which the envelope of the application has. */
export const STANDARD_FORMAT = 'standard';
/** The maximum length of a format's name, in characters. */
export const MAX_FORMAT_LENGTH = 32;

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const MEDIA_TYPE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const JSON_TYPE = 'application/json';
const STANDARD_RULES: FormatRules = {};
const RULES = ['hosts', 'retries', 'maxBytes', 'endsDelivery', 'pausesHost'] as const;

/** A request that is ready to be signed. */
export interface EncodedRequest {
  readonly body: Buffer;
  readonly contentType: string;
  /** Headers of a format; null for the standard one, whose headers the deliverer makes. */
  readonly headers: Readonly<Record<string, string>> | null;
}

interface RegisteredFormat {
  readonly format: WebhookFormat;
  readonly rules: FormatRules;
}

/** The fields about bodies that subscribers of the standard format may have. */
export interface OfferedBodies {
  readonly changed: boolean;
  readonly fields: boolean;
  /** The URL of the REST API, to which thin bodies lead; null: they are not offered. */
  readonly thin: string | null;
  readonly template: boolean;
}

/** The formats that subscribers may have, by name. */
@Injectable()
export class WebhookFormats {
  readonly #formats = new Map<string, RegisteredFormat>();
  readonly #offered = [STANDARD_FORMAT];
  readonly #check = new OptionChecks('');

  /** The envelope is a function of the application's, so that the data of messages is not known. */
  readonly #isEnvelopeCustom: boolean;
  /** The other bodies that subscribers of the standard format may have. */
  readonly shapes: BodyShapes;
  /** What the application offers its subscribers for their bodies. */
  readonly offers: OfferedBodies;

  /**
   * @param settings formats by name, which owners may choose, the envelope, and the other bodies that subscribers may have
   * @throws {@link ThornConfigurationError} naming the format and the rule that is refused
   */
  constructor({
    formats: registered = {},
    envelope,
    shapes,
    unsubscribe,
    keepsMessages,
  }: BodySettings = {}) {
    this.#isEnvelopeCustom = typeof envelope === 'function';
    this.shapes = new BodyShapes(shapes, unsubscribe?.url, keepsMessages);
    const isStandard = envelopeName(envelope) === 'standard';
    this.offers = {
      changed: isStandard,
      fields: isStandard,
      thin: this.shapes.url ?? null,
      template: isStandard && this.shapes.templates,
    };
    this.#check.object('formats', registered);
    for (const [name, format] of Object.entries(registered)) {
      this.add(name, format);
      this.#offered.push(name);
    }
  }

  /**
   * Registers a format that the library sets by itself, and that owners cannot choose.
   *
   * @throws {@link ThornConfigurationError} naming the format and the rule that is refused
   */
  add(name: string, format: WebhookFormat): void {
    const formats = this.#check.within('formats');
    const check = (rule: boolean, reason: string) => formats.assert(name, rule, reason);
    check(
      NAME.test(name) && name !== STANDARD_FORMAT,
      `must be named by up to ${MAX_FORMAT_LENGTH} small letters, digits and hyphens, and not "${STANDARD_FORMAT}"`,
    );
    check(!this.#formats.has(name), 'is registered twice');
    check(
      format instanceof WebhookFormat,
      'must be an instance of a class that extends WebhookFormat',
    );
    check(
      !this.#isEnvelopeCustom,
      'cannot be used together with an envelope function, which may leave out the data of messages. Use one of the two',
    );
    const { rules } = format;
    const checkFormat = formats.within(name);
    checkFormat.object('rules', rules ?? null, RULES);
    checkRules(rules, checkFormat.within('rules'));
    this.#formats.set(name, { format, rules });
  }

  /**
   * Checks the format that a subscriber names.
   *
   * @returns the name as it is stored: null for `standard`
   * @throws {@link InvalidInputError} for `format` when it is not registered
   */
  check(name: unknown): string | null {
    if (name === null || name === STANDARD_FORMAT) return null;
    if (typeof name === 'string' && this.#formats.has(name)) return name;
    throw this.#unknown();
  }

  /** @throws {@link InvalidInputError} for `format` when owners may not choose it */
  checkOffered(name: unknown): void {
    if (name === undefined || this.#offered.some((one) => one === name)) return;
    throw this.#unknown();
  }

  /**
   * @throws {@link InvalidInputError} for `url` when the format is for other hosts; for `format` when it is not registered, so
   * that nobody knows its hosts
   */
  checkHost({ format, url }: Pick<Recipient, 'format' | 'url'>): void {
    if (format === undefined || format === null) return;
    const { hosts } = this.#registered(format).rules;
    if (hosts === undefined || hosts.includes(new URL(url).host)) return;
    throw new InvalidInputError(
      'url',
      `must be at ${hosts.join(' or ')} for the format "${format}"`,
    );
  }

  /** @throws {@link InvalidInputError} for `contentType`, which would have no effect */
  checkContentType({ format, contentType }: Pick<Recipient, 'format' | 'contentType'>): void {
    if (format === undefined || format === null || contentType === JSON_TYPE) return;
    throw new InvalidInputError(
      'contentType',
      `is for the standard format: leave it out, since "${format}" says it of each request`,
    );
  }

  /** The rules of a recipient's format. A format that is not registered in this process has no rules. */
  rulesOf({ format }: Pick<Recipient, 'format'>): FormatRules {
    if (format === undefined || format === null) return STANDARD_RULES;
    return this.#formats.get(format)?.rules ?? STANDARD_RULES;
  }

  #unknown(): InvalidInputError {
    return new InvalidInputError('format', `must be one of ${this.#offered.join(', ')}`);
  }

  /**
   * Makes the request of a message to a recipient.
   *
   * @throws {@link InvalidInputError} when the format is not registered, or answers something else than a request; and
   * what the format throws
   */
  encode(message: Message, recipient: Recipient): EncodedRequest {
    const { format: name, contentType } = recipient;
    if (name === undefined || name === null) {
      return { body: this.shapes.bodyOf(message, recipient), contentType, headers: null };
    }
    return encoded(name, this.#registered(name).format.request(inputOf(message, recipient)));
  }

  #registered(name: string): RegisteredFormat {
    const registered = this.#formats.get(name);
    if (registered !== undefined) return registered;
    throw new InvalidInputError(
      'format',
      `"${name}" is not registered in this process: name it in ThornModule.forRoot({ formats })`,
      { format: name },
    );
  }
}

function inputOf(message: Message, { id, metadata = {} }: Recipient) {
  const { event, ref, owner, data } = message;
  const timestamp = new Date(message.time).toISOString();
  return { id: message.id, event, timestamp, data, ref, owner, subscriber: { id, metadata } };
}

function encoded(name: string, request: FormattedRequest): EncodedRequest {
  if (isPromise(request)) {
    // Unheeded, its rejection would end the process.
    request.then(undefined, () => undefined);
    throw new InvalidInputError(
      'format',
      `"${name}" must answer at once, not a promise: put what it needs into the data of the message`,
      { format: name },
    );
  }
  const { body, contentType = JSON_TYPE, headers = {} } = isObject(request) ? request : {};
  if (
    typeof body !== 'string' ||
    typeof contentType !== 'string' ||
    !MEDIA_TYPE.test(contentType)
  ) {
    throw new InvalidInputError(
      'format',
      `"${name}" must answer { body } with a text, and a media type if there is a contentType`,
      { format: name },
    );
  }
  checkHeaders(headers);
  return { body: Buffer.from(body), contentType, headers };
}

function isPromise(request: unknown): request is PromiseLike<unknown> {
  return isObject(request) && typeof request['then'] === 'function';
}

function checkRules(
  { hosts, retries = [], maxBytes, endsDelivery = [], pausesHost }: FormatRules,
  check: OptionChecks,
): void {
  check.assert(
    'hosts',
    hosts === undefined || (isListOf(hosts, isHost) && hosts.length > 0),
    'must be names in lower case without a port, such as hooks.slack.com',
  );
  check.assert(
    'retries',
    isListOf(retries, isWithin(0, MAX_RETRY_DELAY)) && retries.length <= MAX_RETRIES,
    `must be up to ${MAX_RETRIES} delays of 0 to ${MAX_RETRY_DELAY} milliseconds`,
  );
  check.integer('maxBytes', maxBytes);
  check.assert(
    'endsDelivery',
    isListOf(endsDelivery, isWithin(400, 499)),
    'must be statuses from 400 to 499',
  );
  check.boolean('pausesHost', pausesHost);
}

function isListOf(list: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(list) && list.every(isItem);
}

function isHost(host: unknown): boolean {
  if (typeof host !== 'string' || !URL.canParse(`https://${host}`)) return false;
  return new URL(`https://${host}`).host === host;
}

function isWithin(least: number, most: number) {
  return (value: unknown) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}
