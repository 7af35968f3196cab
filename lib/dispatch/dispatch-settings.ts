import type { SubscriberNotifier } from './subscriber-notice.js';

/** The options of the module that decide which messages and subscribers are kept. */
export abstract class DispatchSettings {
  /** True: messages without a subscriber are stored as well, unless their event has `keep: false`. Default false. */
  abstract readonly keep?: boolean;
  /** Days after their end for which subscribers are kept. Default 7. */
  abstract readonly expiredDays?: number;
  /** Is told of changes of subscribers. Default: nobody is. */
  abstract readonly notify?: SubscriberNotifier;
}
