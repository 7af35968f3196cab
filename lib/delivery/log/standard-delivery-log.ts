import { OptionChecks } from '../../common/option-checks.js';
import type { AttemptRecord } from '../attempt/attempt-record.js';
import { DeliveryLog, type LoggedAttempt, type ReadKept } from './delivery-log.js';

/** Selects the attempts to keep: all, the failed ones, or none. */
export type KeptAttempts = 'everything' | 'failures' | 'nothing';

const KEPT: readonly KeptAttempts[] = ['everything', 'failures', 'nothing'];

/** Keeps attempts in the table of the strategy, written in the same transaction as the outcome of the delivery. */
export class StandardDeliveryLog extends DeliveryLog {
  /**
   * @param kept default: everything
   * @throws `ThornConfigurationError` for any other value
   */
  constructor(private readonly kept: KeptAttempts = 'everything') {
    super();
    new OptionChecks('').oneOf('keepAttempts', kept, KEPT);
  }

  override keeps({ attempt }: LoggedAttempt): boolean {
    if (this.kept === 'failures') return attempt.outcome === 'failed';
    return this.kept === 'everything';
  }

  override async attemptsOf(_delivery: string, kept: ReadKept): Promise<readonly AttemptRecord[]> {
    return kept();
  }
}
