import type { SubscriberChange, SubscriberChangeKind } from '../subscriber/index.js';

/** What the option `notify` is told: one change of a subscriber. */
export interface SubscriberNotice extends Omit<SubscriberChange, 'kind'> {
  /** What has happened, such as `subscriber-disabled`. */
  readonly type: `subscriber-${SubscriberChangeKind}`;
}

/** Takes the notices of the option `notify`. */
export type SubscriberNotifier = (notice: SubscriberNotice) => void | Promise<void>;
