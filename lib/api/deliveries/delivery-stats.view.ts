import type { DeliveryFigures, DeliveryHistory } from '../../outbox/index.js';

/** The outcomes of a subscriber's deliveries on one day in UTC. */
export class StatsDayView implements DeliveryFigures {
  /** For example `2026-01-31`. */
  readonly day: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly pending: number;
  /** 0 to 1, of those that are finished; null when none is. */
  readonly successRate: number | null;
  /** Milliseconds; of requests that were answered. */
  readonly p50: number | null;
  readonly p95: number | null;

  constructor({ day, ...figures }: DeliveryHistory['days'][number]) {
    this.day = new Date(day).toISOString().slice(0, 10);
    this.succeeded = figures.succeeded;
    this.failed = figures.failed;
    this.pending = figures.pending;
    this.successRate = figures.successRate;
    this.p50 = figures.p50;
    this.p95 = figures.p95;
  }
}

/** The same for all days together, and for each; and what waits for the subscriber's rate limit now. */
export class StatsView {
  readonly total: DeliveryFigures;
  readonly rateLimited: number;
  readonly days: readonly StatsDayView[];

  constructor({ total, rateLimited, days }: DeliveryHistory) {
    this.total = total;
    this.rateLimited = rateLimited;
    this.days = days.map((day) => new StatsDayView(day));
  }
}
