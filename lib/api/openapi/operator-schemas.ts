import type { PruneSummary, ResealSummary } from '../../outbox/index.js';
import { OPERATOR_ATTEMPT_HISTORY, SENT_REQUEST } from '../deliveries/delivery-reports.view.js';
import { DELIVERY } from '../deliveries/delivery.view.js';
import { ATTEMPT_ANSWER } from '../subscribers/test.view.js';
import { bodySchema } from '../http/validators.js';
import { SETUP_WARNINGS, type SetupReport } from '../operator/application-report.js';
import { PruneDto, ResealDto } from '../operator/maintenance.dto.js';
import { OPERATOR_SUBSCRIBER } from '../operator/operator-subscriber.view.js';
import { HOST, PauseDto } from '../operator/pause.dto.js';
import { all, count, flag, list, nullable, oneOf, type Schema, text } from '../schema/schema.js';
import { page } from './document-schema.js';

const maybeTime = nullable(count);
const { self: _, ...shared } = DELIVERY;

/** As owners see it, but for times, which are milliseconds since the Unix epoch. */
const delivery = {
  ...shared,
  url: nullable({
    ...text,
    description: 'Of the subscriber as it is now, without its query; null where it is not stored',
  }),
  nextAt: maybeTime,
  createdAt: count,
  attemptedAt: maybeTime,
  finishedAt: maybeTime,
};
const attempt = all({
  number: count,
  ...ATTEMPT_ANSWER,
  startedAt: count,
  duration: count,
  address: nullable(text),
});
const endpoint = all({
  host: text,
  mode: oneOf(['flowing', 'paused', 'broken']),
  until: maybeTime,
  failures: count,
});
const failing = all({
  subscriberId: text,
  failingSince: count,
  failingMessages: count,
  owner: nullable(text),
  host: nullable(text),
  url: nullable({ ...text, description: 'Without its query' }),
  enabled: nullable(flag),
});
const setup: Schema<SetupReport> = all({
  strategy: text,
  dataSources: list(all({ name: text, type: text })),
  events: count,
  apis: list(text),
  pages: list(text),
  warnings: list(all({ code: oneOf(SETUP_WARNINGS), text })),
});
const pruned: Schema<PruneSummary> = all({
  checked: count,
  deleted: count,
  bodies: count,
  responses: count,
  open: count,
  next: nullable(text),
});
const resealed: Schema<ResealSummary> = all({
  checked: count,
  resealed: count,
  unreadable: list(text),
  next: nullable(text),
});

/** The schemas of the operator API by name. */
export const OPERATOR_SCHEMAS: Readonly<Record<string, Schema>> = {
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
    endpoints: list(endpoint),
    pauses: list(all({ host: HOST, since: count })),
    isWorker: { ...flag, description: 'The asked process delivers' },
    failing: list(failing),
    failingSubscribers: { ...count, description: 'All that fail, also beyond those of failing' },
  }),
  SetupReport: setup,
  OperatorSentRequest: SENT_REQUEST,
  OperatorAttemptHistory: OPERATOR_ATTEMPT_HISTORY,
  NewPause: bodySchema(PauseDto),
  OperatorSubscriber: all(OPERATOR_SUBSCRIBER),
  OperatorSubscriberPage: page('OperatorSubscriber'),
  OperatorDelivery: all(delivery),
  OperatorDeliveryPage: page('OperatorDelivery'),
  OperatorDeliveryDetails: all({
    ...delivery,
    blockedBy: nullable(text),
    attempts: list(attempt),
  }),
  DeliveryState: all({ state: text }),
  Prune: bodySchema(PruneDto),
  PruneResult: pruned,
  Reseal: bodySchema(ResealDto),
  ResealResult: resealed,
};
