import type { PipelineResult } from './message-pipeline.js';

/** The result of `send()`. */
export interface SendResult {
  /** Id of the message, sent as `webhook-id`. */
  readonly id: string;
  /**
   * `delivered`: attempted for every subscriber, see `attempts`. `accepted`: delivered later. `staged`: sent when the
   * transaction commits that it belongs to. `buffered`: sent when the buffer scope flushes. `discarded`: webhooks are
   * switched off. `duplicate`: a message of this id was sent before, and is the one that counts; nothing was stored.
   * `unheard`: nobody is subscribed, and nothing was stored, since the event is not to be kept.
   */
  readonly state: PipelineResult['state'] | 'staged';
  /** The attempts per subscriber when the strategy delivers within the call; otherwise empty. */
  readonly attempts: PipelineResult['attempts'];
}

/** The result of `sendFor()` with criteria. */
export interface SendForSummary {
  /** Rows that matched. */
  readonly rows: number;
  /** Messages that were sent: fewer where the event's condition did not hold, or nobody is subscribed. */
  readonly sent: number;
}
