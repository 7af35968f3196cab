import type {
  DeliveryFigures,
  DeliveryHistory,
  EndpointPause,
  EndpointState,
  EndpointStates,
} from '../../outbox/index.js';

/** Why an endpoint gets nothing for now. */
export interface PauseView {
  readonly reason: EndpointPause['reason'];
  /** When it is tried again; null while an operator's pause lasts. */
  readonly until: string | null;
}

/** Whether an endpoint fails. */
export class EndpointStateView {
  readonly subscriberId: string;
  /** The start of the first failed attempt since the latest success; null while it does not fail. */
  readonly failingSince: string | null;
  /** Messages that have failed since then. */
  readonly failingMessages: number;
  readonly pause: PauseView | null;

  constructor({ subscriberId, ...state }: EndpointState) {
    const { failingSince, failingMessages, pause } = stateView(state);
    this.subscriberId = subscriberId;
    this.failingSince = failingSince;
    this.failingMessages = failingMessages;
    this.pause = pause;
  }
}

function stateView({
  failingSince,
  failingMessages,
  pause,
}: Omit<EndpointState, 'subscriberId'>): Omit<EndpointStateView, 'subscriberId'> {
  return {
    failingSince: isoOf(failingSince),
    failingMessages,
    pause: pause && { reason: pause.reason, until: isoOf(pause.until) },
  };
}

/** The endpoints of an owner that need a look. */
export class EndpointStatesView {
  /** Enabled endpoints whose attempts have only failed of late. */
  readonly failing: number;
  readonly disabled: number;
  /** The failing ones, the longest first; up to 100. */
  readonly items: readonly EndpointStateView[];

  constructor({ failing, disabled, items }: EndpointStates) {
    this.failing = failing;
    this.disabled = disabled;
    this.items = items.map((item) => new EndpointStateView(item));
  }
}

/** The outcomes of a subscriber's deliveries on one day in UTC. */
export type StatsDayView = DeliveryFigures & {
  /** For example `2026-01-31`. */
  readonly day: string;
  readonly isComplete: boolean;
};

/**
 * The same for all days together, and for each; what waits for the subscriber's rate limit now, and whether the endpoint
 * fails.
 */
export class StatsView {
  readonly total: DeliveryFigures;
  readonly countedSince: string;
  readonly rateLimited: number;
  readonly failingSince: string | null;
  readonly failingMessages: number;
  readonly pause: PauseView | null;
  readonly days: readonly StatsDayView[];

  constructor(
    { total, countedSince, rateLimited, days }: DeliveryHistory,
    state: Omit<EndpointState, 'subscriberId'>,
  ) {
    const { failingSince, failingMessages, pause } = stateView(state);
    this.total = total;
    this.countedSince = new Date(countedSince).toISOString();
    this.rateLimited = rateLimited;
    this.failingSince = failingSince;
    this.failingMessages = failingMessages;
    this.pause = pause;
    this.days = days.map((day) => ({ ...day, day: new Date(day.day).toISOString().slice(0, 10) }));
  }
}

function isoOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
