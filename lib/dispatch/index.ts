export { disabled, DisabledStrategy } from './strategies/disabled.strategy.js';
export { DispatchSettings } from './dispatch-settings.js';
export { dispatchServices } from './dispatch-services.js';
export { DispatchStrategy, type Release } from './strategies/dispatch-strategy.js';
export {
  DEFAULT_HISTORY_LIMIT,
  EventHistory,
  type HistoryEvent,
  type HistoryPage,
  type HistoryQuery,
  MAX_HISTORY_LIMIT,
} from './event-history.js';
export { CursorExpiredError } from './history-cursor.js';
export type {
  EventStore,
  HistoryPlace,
  StoredEvent,
  StoredEvents,
} from './strategies/stored-events.js';
export { EntityMessageSource } from './rows/entity-message-source.js';
export type { EntityType, RowCondition, RowCriteria } from './rows/row-criteria.js';
export { FanOut, type FoundRecipients } from './recipients/fan-out.js';
export { inline, type InlineOptions, InlineStrategy } from './strategies/inline.strategy.js';
export type { BufferOptions, MessageBuffer } from './message-buffer.js';
export { JoinedTransactions } from './joined-transactions.js';
export { MessagePipeline, type PipelineResult } from './message-pipeline.js';
export type { DispatchSetting, StrategyDefinition } from './strategies/dispatch-strategy.js';
export { NoTransactions } from './transactions.js';
export { SubscriberExpiry } from './subscriber-expiry.js';
export type { SubscriberNotice, SubscriberNotifier } from './subscriber-notice.js';
export { SubscriberNotices } from './subscriber-notices.js';
export type { TableRow } from './rows/table-row.js';
export { Transactions } from './transactions.js';
export type { EntityManagerLike, SendForOptions, SendOptions } from './send-options.js';
export type { SendForSummary, SendResult } from './send-result.js';
export { WebhookDispatcher } from './webhook-dispatcher.js';
export { type HeardEvent, UnheardEvents } from './unheard-events.js';
export { wants } from './recipients/subscriber-choice.js';
