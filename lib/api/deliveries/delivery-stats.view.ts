import type { DeliveryHistory, EndpointState, EndpointStates } from '../../outbox/index.js';
import {
  all,
  count,
  flag,
  list,
  nullable,
  text,
  time,
  type ValueOf,
} from '../../common/json-schema.js';
import { isoOf } from '../http/iso-time.js';
import { pauseOf } from './delivery.view.js';

/** The state of an endpoint: whether it fails, and why it gets no deliveries for now. */
const STATE = {
  failingSince: nullable({
    ...time,
    description: 'The first failed attempt since the latest success; null: it does not fail',
  }),
  failingMessages: { ...count, description: 'Messages that have failed since then' },
  pause: pauseOf(nullable(time), 'Why nothing is sent to it for now, and until when'),
};
const FIGURES = {
  succeeded: count,
  failed: count,
  pending: count,
  attempts: count,
  failedAttempts: count,
  successRate: nullable<number>({ type: 'number', minimum: 0, maximum: 1 }),
  p50: nullable(count),
  p95: nullable(count),
};
const VIEW = all(STATE);

const ENDPOINT = all({ subscriberId: text, ...STATE });

export const ENDPOINT_STATES = all({
  endpoints: { ...count, description: 'All of them' },
  failing: count,
  disabled: count,
  items: {
    ...list(ENDPOINT),
    maxItems: 100,
    description: 'The failing ones, the longest first',
  },
});

export const STATS = all({
  total: all(FIGURES),
  countedSince: { ...time, description: 'Deliveries from then on were counted' },
  rateLimited: { ...count, description: 'Wait for the rate limit now' },
  ...STATE,
  days: list(all({ day: { ...text, format: 'date' }, isComplete: flag, ...FIGURES })),
});

export type EndpointStateView = ValueOf<typeof ENDPOINT>;
export type EndpointStatesView = ValueOf<typeof ENDPOINT_STATES>;
export type StatsView = ValueOf<typeof STATS>;

export function endpointStatesView({
  endpoints,
  failing,
  disabled,
  items,
}: EndpointStates): EndpointStatesView {
  return {
    endpoints,
    failing,
    disabled,
    items: items.map(({ subscriberId, ...state }) => ({ subscriberId, ...stateView(state) })),
  };
}

export function statsView(
  { total, countedSince, rateLimited, days }: DeliveryHistory,
  state: Omit<EndpointState, 'subscriberId'>,
): StatsView {
  return {
    total,
    countedSince: isoOf(countedSince),
    rateLimited,
    ...stateView(state),
    days: days.map((day) => ({ ...day, day: isoOf(day.day).slice(0, 10) })),
  };
}

function stateView({
  failingSince,
  failingMessages,
  pause,
}: Omit<EndpointState, 'subscriberId'>): ValueOf<typeof VIEW> {
  return {
    failingSince: isoOf(failingSince),
    failingMessages,
    pause: pause && { reason: pause.reason, until: isoOf(pause.until) },
  };
}
