import type { AttemptFigures, AttemptHistory } from '../../outbox/index.js';

/** Figures of attempts by hour or day, for a plot. */
export class AttemptHistoryView {
  readonly by: 'hour' | 'day';
  readonly since: string;
  readonly until: string;
  /** Deliveries from then on were counted. */
  readonly countedSince: string;
  readonly total: AttemptFigures;
  readonly items: readonly (AttemptFigures & {
    readonly at: string;
    readonly isComplete: boolean;
  })[];

  constructor({ by, since, until, countedSince, total, items }: AttemptHistory) {
    this.by = by;
    this.since = new Date(since).toISOString();
    this.until = new Date(until).toISOString();
    this.countedSince = new Date(countedSince).toISOString();
    this.total = total;
    this.items = items.map((item) => ({ ...item, at: new Date(item.at).toISOString() }));
  }
}
