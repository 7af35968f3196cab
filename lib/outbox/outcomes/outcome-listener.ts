import type { HealthTable } from '../tables/health-table.js';
import type { Outcome } from '../model/outcome.js';

/**
 * Told of outcomes once they are written, in the order in which they were: what keeps the health of subscribers listens
 * here.
 */
export abstract class OutcomeListener {
  /** Once, before the first outcome: where what is learnt of subscribers is kept. */
  use(_health: HealthTable): void {}

  /** Receives written outcomes. Errors and rejections are logged. */
  abstract written(outcomes: readonly Outcome[]): Promise<void> | void;

  /** Resolves when everything that was learnt is written; after that the database is closed. */
  async idle(): Promise<void> {}

  /** Called right before the database is closed: what is not written by then is given up. */
  stop(): void {}
}

/** Listens to nothing. */
export class NoOutcomeListener extends OutcomeListener {
  override written(): void {}
}
