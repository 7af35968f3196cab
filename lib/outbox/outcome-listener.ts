import type { Outcome } from './settlement.js';

/**
 * Told of outcomes once they are written, in the order in which they were: what keeps the health of subscribers listens
 * here.
 */
export abstract class OutcomeListener {
  /** What it throws or rejects with is logged. */
  abstract written(outcomes: readonly Outcome[]): Promise<void> | void;
}

/** Listens to nothing. */
export class NoOutcomeListener extends OutcomeListener {
  override written(): void {}
}
