import type { Message } from '../../message/message.js';
import { DispatchStrategy, type Release } from './dispatch-strategy.js';
import type { StrategyDefinition } from './dispatch-strategy.js';

/** Sends nothing. Messages are still made, so that bad data is found where webhooks are switched off. */
export class DisabledStrategy extends DispatchStrategy {
  override label(): string {
    return 'disabled()';
  }

  override async stage(): Promise<void> {}

  override releaseOnCommit(): void {}

  override async release(messages: readonly Message[]): Promise<readonly Release[]> {
    return messages.map(({ id }) => ({ message: id, state: 'discarded', attempts: [] }));
  }
}

/**
 * Switches webhooks off, as Thorn's `disabled` dispatcher does.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ dispatch: disabled() });
 * ```
 */
export function disabled(): StrategyDefinition {
  return { useFactory: () => new DisabledStrategy() };
}
