import { ANSWER_CLASSES } from '../../outbox/index.js';
import { SETUP_WARNINGS } from '../operator/application-report.js';
import { attemptHistory, sentRequest } from './report-schemas.js';
import { all, answerHeaders, page, type Schema, some } from './schema-parts.js';

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };

/**
 * The schemas of the operator API by name. Times of the log are milliseconds since the Unix epoch.
 *
 * @param nullable what the document's version of OpenAPI has for "or null"
 * @param subscriber as its owner sees it
 */
export function operatorSchemas(
  nullable: (schema: Schema) => Schema,
  subscriber: Schema,
): Readonly<Record<string, Schema>> {
  const time = count;
  const maybeTime = nullable(count);
  const error = nullable(all({ code: text, message: text }));
  const delivery = {
    id: text,
    messageId: text,
    subscriberId: text,
    url: nullable({
      ...text,
      description: 'Of the subscriber as it is now, without its query; null where it is not stored',
    }),
    event: text,
    status: { ...text, enum: ['pending', 'succeeded', 'failed'] },
    reason: nullable(text),
    attemptCount: count,
    latestStatus: nullable({ type: 'integer' }),
    statusClass: { ...text, enum: ANSWER_CLASSES },
    nextAt: maybeTime,
    rateLimited: { type: 'boolean' },
    blocked: { type: 'boolean' },
    holding: { type: 'boolean' },
    createdAt: time,
    attemptedAt: maybeTime,
    finishedAt: maybeTime,
  };
  const attempt = {
    number: count,
    startedAt: time,
    duration: count,
    status: nullable({ type: 'integer' }),
    error,
    response: nullable(text),
    answerHeaders: answerHeaders(nullable),
    address: nullable(text),
  };
  const step = {
    dryRun: { type: 'boolean', default: false },
    after: { ...text, maxLength: 84, description: 'The next of an earlier answer' },
  };
  const host = {
    ...text,
    description: 'As in URLs, with its port unless it is 443 or 80; * for all',
    maxLength: 320,
  };
  const endpoint = {
    host: text,
    mode: { ...text, enum: ['flowing', 'paused', 'broken'] },
    until: maybeTime,
    failures: count,
  };
  const failing = {
    subscriberId: text,
    failingSince: time,
    failingMessages: count,
    owner: nullable(text),
    host: nullable(text),
    url: nullable({ ...text, description: 'Without its query' }),
    enabled: nullable({ type: 'boolean' }),
  };
  return {
    Overview: all({
      pending: count,
      due: count,
      leased: count,
      rateLimited: count,
      blocked: count,
      holding: count,
      failed: count,
      pendingMessages: count,
      dueMessages: count,
      oldestDue: maybeTime,
      lag: count,
      activity: all({ inFlight: count, waiting: count, paused: count, broken: count }),
      endpoints: { type: 'array', items: all(endpoint) },
      pauses: { type: 'array', items: all({ host, since: time }) },
      isWorker: { type: 'boolean', description: 'The asked process delivers' },
      failing: { type: 'array', items: all(failing) },
      failingSubscribers: { ...count, description: 'All that fail, also beyond those of failing' },
    }),
    SetupReport: all({
      strategy: text,
      dataSources: { type: 'array', items: all({ name: text, type: text }) },
      events: count,
      apis: { type: 'array', items: text },
      pages: { type: 'array', items: text },
      warnings: {
        type: 'array',
        items: all({ code: { ...text, enum: SETUP_WARNINGS }, text }),
      },
    }),
    OperatorSentRequest: sentRequest(nullable),
    OperatorAttemptHistory: attemptHistory(nullable, time),
    NewPause: some({ host }, ['host']),
    OperatorSubscriber: all({
      ...(subscriber['properties'] as Schema),
      url: { ...text, description: 'Without its query' },
      owner: nullable(text),
      verification: { ...text, enum: ['none', 'pending', 'verified'] },
      secrets: {
        type: 'array',
        description: 'When each expires, newest first; null for never',
        items: nullable({ ...text, format: 'date-time' }),
      },
    }),
    OperatorSubscriberPage: page('OperatorSubscriber', nullable),
    OperatorDelivery: all(delivery),
    OperatorDeliveryPage: page('OperatorDelivery', nullable),
    OperatorDeliveryDetails: all({
      ...delivery,
      blockedBy: nullable(text),
      attempts: { type: 'array', items: all(attempt) },
    }),
    DeliveryState: all({ state: text }),
    Prune: some({
      before: { ...text, format: 'date-time', description: 'Default: what the settings say' },
      ...step,
    }),
    PruneResult: all({
      checked: count,
      deleted: count,
      bodies: count,
      responses: count,
      open: count,
      next: nullable(text),
    }),
    Reseal: some(step),
    ResealResult: all({
      checked: count,
      resealed: count,
      unreadable: { type: 'array', items: text },
      next: nullable(text),
    }),
  };
}
