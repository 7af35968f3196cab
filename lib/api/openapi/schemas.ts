import {
  EXHAUSTED_ACTIONS,
  MAX_DESCRIPTION_LENGTH,
  MAX_FILTER_LENGTH,
  MAX_HOLD_FOR,
  MAX_METADATA_ENTRIES,
  MAX_METADATA_VALUE_LENGTH,
  MAX_PATTERN_LENGTH,
  MAX_PATTERNS,
  MAX_RATE,
  MAX_RATE_PER,
  MAX_URL_LENGTH,
  MIN_RATE_PER,
} from '../../subscriber/index.js';
import { ANSWER_CLASSES, MAX_SELECTED } from '../../outbox/index.js';
import { all, answerHeaders, page, type Schema, some, withOptional } from './schema-parts.js';
import { attemptHistory, sentRequest } from './report-schemas.js';
import { PROBLEM_CODES } from '../problems/problem-codes.js';

const text = { type: 'string' };
const facts = { type: 'object', description: 'What the text names, such as a limit' };
const count = { type: 'integer', minimum: 0 };
const flag = { type: 'boolean' };
const time = { type: 'string', format: 'date-time' };

/**
 * Every schema of the API by name.
 *
 * @param nullable what the document's version of OpenAPI has for "or null"
 * @param hookHmac true: the application sends `Hook-HMAC`
 */
export function apiSchemas(
  nullable: (schema: Schema) => Schema,
  hookHmac: boolean,
): Readonly<Record<string, Schema>> {
  const digest = {
    ...text,
    enum: ['sha1', 'sha256', 'sha512'],
    description: 'The digest of the header Hook-HMAC',
  };
  const patterns = {
    type: 'array',
    items: { type: 'string', maxLength: MAX_PATTERN_LENGTH, example: 'article.*' },
    maxItems: MAX_PATTERNS,
  };
  const changeable = {
    url: {
      type: 'string',
      format: 'uri',
      maxLength: MAX_URL_LENGTH,
      description: 'Where deliveries go, as the recipient policy of the application allows',
    },
    events: {
      ...patterns,
      minItems: 1,
      description: 'Patterns, each once and able to match a known event',
    },
    exclude: { ...patterns, description: 'Events to leave out, although events matches them' },
    filter: nullable({
      type: 'object',
      description: `A condition on the data of messages, up to ${MAX_FILTER_LENGTH} characters of JSON; null: all messages`,
      additionalProperties: true,
    }),
    rateLimit: nullable({
      ...all({
        max: { type: 'integer', minimum: 1, maximum: MAX_RATE },
        per: { type: 'integer', minimum: MIN_RATE_PER, maximum: MAX_RATE_PER },
      }),
      description: 'At most max attempts in any per milliseconds; the rest waits. Null: no limit',
      additionalProperties: false,
    }),
    ordered: { ...flag, description: 'Messages of the same key go one after another' },
    onExhausted: {
      ...text,
      enum: [...EXHAUSTED_ACTIONS],
      description:
        'After a delivery that failed for good, the next message of its key goes or waits',
    },
    holdFor: nullable({
      type: 'integer',
      minimum: 1,
      maximum: MAX_HOLD_FOR,
      description: 'With hold: milliseconds after which the key goes on by itself; null: never',
    }),
    contentType: {
      ...text,
      example: 'application/json',
      description: 'The media type that deliveries are encoded as',
    },
    ...(hookHmac && { digest }),
    enabled: { ...flag, description: 'False: deliveries pause' },
    description: nullable({ ...text, maxLength: MAX_DESCRIPTION_LENGTH }),
    metadata: {
      type: 'object',
      description: 'Texts of your own, by name',
      maxProperties: MAX_METADATA_ENTRIES,
      additionalProperties: { ...text, maxLength: MAX_METADATA_VALUE_LENGTH },
    },
  };
  const secret = {
    ...text,
    minLength: 16,
    maxLength: 512,
    description:
      'whsec_ and the base64 of 24 to 64 bytes, an ed25519 key (whsk_…), or a text; default: a random one',
  };
  const thorns = {
    event: { ...text, description: 'One pattern; the same as events with it alone' },
    content_type: { ...text, description: 'The same as contentType' },
    hmac_secret: { ...secret, description: 'The same as secret' },
    ...(hookHmac && { hmac_digest: { ...digest, description: 'The same as digest' } }),
  };
  const read = {
    id: { ...text, description: 'Every webhook names it in Hook-Subscription' },
    self: { ...text, description: 'URL of the subscriber itself' },
    ...changeable,
    state: {
      ...text,
      enum: ['active', 'disabled', 'unverified'],
      description: 'Unverified: the endpoint has not answered its challenge',
    },
    rotationEndsAt: nullable({
      ...time,
      description: 'When the secrets from before the latest rotation sign no more',
    }),
    createdAt: time,
    updatedAt: time,
  };
  const shown = { ...text, description: 'Shown this once' };
  const warnings = {
    type: 'array',
    items: text,
    description: 'What cannot be checked: fields of the filter on events without a schema',
  };
  const delivery = {
    id: text,
    self: text,
    messageId: text,
    subscriberId: text,
    event: text,
    status: { ...text, enum: ['pending', 'succeeded', 'failed'] },
    reason: nullable({ ...text, description: 'Why it failed' }),
    attemptCount: { ...count, description: 'Requests that were made' },
    latestStatus: nullable({ type: 'integer', description: 'Of the latest answer' }),
    statusClass: { ...text, enum: ANSWER_CLASSES },
    nextAt: nullable({
      ...time,
      description:
        'When it is tried again at the earliest; null while an attempt is under way, and while it is blocked',
    }),
    rateLimited: { type: 'boolean', description: 'Waits for the rate limit of its subscriber' },
    blocked: { type: 'boolean', description: 'Waits for an earlier delivery of its key' },
    holding: { type: 'boolean', description: 'Has failed, and keeps later ones of its key back' },
    createdAt: time,
    attemptedAt: nullable(time),
    finishedAt: nullable(time),
  };
  const error = nullable(all({ code: text, message: text }));
  const figures = {
    succeeded: count,
    failed: count,
    pending: count,
    attempts: count,
    failedAttempts: count,
    successRate: nullable({ type: 'number', minimum: 0, maximum: 1 }),
    p50: nullable(count),
    p95: nullable(count),
  };
  const state = {
    failingSince: nullable({
      ...time,
      description: 'The first failed attempt since the latest success; null: it does not fail',
    }),
    failingMessages: { ...count, description: 'Messages that have failed since then' },
    pause: nullable({
      ...all({
        reason: { ...text, enum: ['operator', 'retry-after', 'breaker'] },
        until: nullable(time),
      }),
      description: 'Why nothing is sent to it for now, and until when',
    }),
  };
  const range = {
    since: { ...time, description: 'From then on' },
    until: { ...time, description: 'Before then; default now' },
    dryRun: { ...flag, description: 'True: only counts' },
    after: { ...text, description: 'The next of an earlier answer' },
  };
  return {
    NewSubscriber: some({ ...changeable, secret, ...thorns }, []),
    SubscriberChanges: { ...some({ ...changeable, secret, ...thorns }), minProperties: 1 },
    SubscriptionChanges: {
      ...some({
        enabled: changeable.enabled,
        events: changeable.events,
        event: thorns.event,
        exclude: changeable.exclude,
        filter: changeable.filter,
      }),
      minProperties: 1,
    },
    Subscriber: all(read),
    SubscriberWithSecret: all({ ...read, secret: shown }),
    ChangedSubscriber: all({ ...read, warnings }),
    CreatedSubscriber: all({ ...read, secret: shown, warnings }),
    SubscriberPage: page('Subscriber', nullable),
    Nothing: some({}),
    Test: some({
      event: { ...text, description: 'Name of an event type; default thorn.ping' },
      data: { description: 'Any JSON of up to 32 levels; default the example of the event' },
    }),
    TestResult: all({
      messageId: text,
      deliveryId: text,
      event: text,
      outcome: { ...text, enum: ['succeeded', 'failed'] },
      status: nullable({ type: 'integer' }),
      error,
      startedAt: time,
      duration: nullable(count),
      response: nullable({ ...text, description: 'The first 16 KiB of the answer' }),
      answerHeaders: answerHeaders(nullable),
    }),
    Rotation: some({
      overlap: {
        oneOf: [{ ...text, example: '24h' }, count],
        description: 'For how long the secrets before go on signing: a text, or milliseconds',
      },
      secret,
    }),
    Delivery: all(delivery),
    DeliveryDetails: all({
      ...delivery,
      blockedBy: nullable({ ...text, description: 'The delivery that it waits for' }),
      attempts: {
        type: 'array',
        items: all({
          number: count,
          startedAt: time,
          duration: nullable(count),
          status: nullable({ type: 'integer' }),
          error,
          response: nullable(text),
          answerHeaders: answerHeaders(nullable),
        }),
      },
    }),
    DeliveryPage: page('Delivery', nullable),
    Selection: some(
      {
        ids: {
          type: 'array',
          items: { ...text, maxLength: 64 },
          minItems: 1,
          maxItems: MAX_SELECTED,
          uniqueItems: true,
          description: 'Ids of deliveries',
        },
      },
      ['ids'],
    ),
    SelectedRetries: all({
      items: {
        type: 'array',
        items: all({
          id: text,
          retried: flag,
          code: nullable({ ...text, description: 'The problem that kept it from being retried' }),
        }),
      },
      retried: count,
    }),
    Replay: some(range, ['since']),
    ReplayResult: withOptional(
      all({
        scheduled: { ...count, description: 'Deliveries that are due now' },
        expunged: { ...count, description: 'Not sent: the body of the message was dropped' },
        disabled: { ...count, description: 'Not sent: the subscriber is disabled' },
        underWay: { ...count, description: 'Not sent: an attempt is under way' },
        next: nullable(text),
      }),
      { note: { ...text, description: 'Why a backfill may have found nothing' } },
    ),
    Stats: all({
      total: all(figures),
      countedSince: { ...time, description: 'Deliveries from then on were counted' },
      rateLimited: { ...count, description: 'Wait for the rate limit now' },
      ...state,
      days: {
        type: 'array',
        items: all({ day: { ...text, format: 'date' }, isComplete: flag, ...figures }),
      },
    }),
    EndpointStates: all({
      failing: count,
      disabled: count,
      items: {
        type: 'array',
        maxItems: 100,
        items: all({ subscriberId: text, ...state }),
        description: 'The failing ones, the longest first',
      },
    }),
    SentRequest: sentRequest(nullable),
    AttemptHistory: attemptHistory(nullable, time),
    FilterPreview: some({
      filter: changeable.filter,
      events: { ...changeable.events, description: 'Default: all' },
      event: thorns.event,
      exclude: changeable.exclude,
    }),
    FilterPreviewResult: all({
      items: {
        type: 'array',
        items: all({ messageId: text, event: text, time, passes: flag }),
      },
      passed: count,
      warnings,
    }),
    EventTypes: all({
      items: { type: 'array', items: all({ name: text, description: nullable(text) }) },
    }),
    EventType: all({
      name: text,
      description: nullable(text),
      schema: nullable({ type: 'object', additionalProperties: true }),
      example: {},
    }),
    Document: { type: 'object', additionalProperties: true },
    JsonWebKeys: {
      type: 'object',
      required: ['keys'],
      properties: {
        keys: { type: 'array', items: { type: 'object', additionalProperties: true } },
      },
    },
    Problem: {
      type: 'object',
      required: ['type', 'code', 'title', 'status', 'detail'],
      properties: {
        type: { ...text, format: 'uri', description: 'A link that explains the code' },
        code: { ...text, enum: Object.keys(PROBLEM_CODES) },
        title: text,
        status: { type: 'integer' },
        detail: text,
        data: facts,
        errors: {
          type: 'array',
          items: withOptional(all({ field: text, code: text, reason: text }), { data: facts }),
        },
      },
    },
  };
}
