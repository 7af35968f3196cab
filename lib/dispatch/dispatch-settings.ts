/** The options of the module that decide which messages and subscribers are kept. */
export abstract class DispatchSettings {
  /** True: messages that nobody gets are kept, unless their event says otherwise. Default false. */
  abstract readonly keep?: boolean;
  /** Days after their end for which subscribers are kept. Default 7. */
  abstract readonly expiredDays?: number;
}
