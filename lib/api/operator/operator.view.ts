import type { PruneSummary, ResealSummary } from '../../outbox/index.js';
import { SUBSCRIBER_STATES } from '../../subscriber/index.js';
import { DELIVERY, DELIVERY_PAUSE, pauseOf } from '../deliveries/delivery.view.js';
import { ATTEMPT_ANSWER } from '../subscribers/test.view.js';
import {
  all,
  count,
  flag,
  list,
  nullable,
  oneOf,
  type Schema,
  text,
  type ValueOf,
} from '../../common/json-schema.js';
import { SETUP_WARNINGS, type SetupReport } from './application-report.js';
import { HOST } from './operator.dto.js';

const maybeTime = nullable(count);
const { self: _, ...shared } = DELIVERY;

/** A delivery as owners see it, except that its times are milliseconds since the Unix epoch. */
const delivery = {
  ...shared,
  nextAt: maybeTime,
  pause: pauseOf(maybeTime, DELIVERY_PAUSE),
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
  description: nullable(text),
  state: nullable({
    ...oneOf(SUBSCRIBER_STATES),
    description: 'Of the subscriber; null where the application declares it in its code',
  }),
});
export const SETUP_REPORT: Schema<SetupReport> = all({
  strategy: text,
  dataSources: list(all({ name: text, type: text })),
  events: count,
  apis: list(text),
  pages: list(text),
  warnings: list(all({ code: oneOf(SETUP_WARNINGS), text })),
});
export const PRUNED: Schema<PruneSummary> = all({
  checked: count,
  deleted: count,
  bodies: count,
  responses: count,
  open: count,
  next: nullable(text),
});
export const RESEALED: Schema<ResealSummary> = all({
  checked: count,
  resealed: count,
  unreadable: list(text),
  next: nullable(text),
});

export const OPERATOR_DELIVERY = all(delivery);
export const OPERATOR_DELIVERY_DETAILS = all({
  ...delivery,
  blockedBy: nullable(text),
  expunged: flag,
  attempts: list(attempt),
});

export const OVERVIEW = all({
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
  oldestDelivery: nullable({
    ...text,
    description: 'The delivery that was due then; null for a message without deliveries so far',
  }),
  lag: count,
  changes: nullable({
    ...all({ waiting: count, failed: count }),
    description: 'Of tables with events; null where there are none',
  }),
  activity: all({ inFlight: count, waiting: count, paused: count, broken: count }),
  endpoints: list(endpoint),
  pauses: list(all({ host: HOST, since: count })),
  isWorker: { ...flag, description: 'The asked process delivers' },
  failing: list(failing),
  failingSubscribers: { ...count, description: 'All that fail, also beyond those of failing' },
});

export type OverviewView = ValueOf<typeof OVERVIEW>;
export type OperatorDeliveryView = ValueOf<typeof OPERATOR_DELIVERY>;
export type OperatorDeliveryDetailsView = ValueOf<typeof OPERATOR_DELIVERY_DETAILS>;
