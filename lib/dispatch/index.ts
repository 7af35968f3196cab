export { disabled, DisabledStrategy } from './disabled.strategy.js';
export { DispatchStrategy, type Release } from './dispatch-strategy.js';
export { EntityEvents, type EntityType, type RowCriteria } from './entity-events.js';
export { FanOut } from './fan-out.js';
export { inline, type InlineOptions, InlineStrategy } from './inline.strategy.js';
export type { BufferOptions, MessageBuffer } from './message-buffer.js';
export { MessagePipeline, type PipelineResult } from './message-pipeline.js';
export type { DispatchSetting, StrategyDefinition } from './strategy-definition.js';
export { Transactions } from './transactions.js';
export {
  type SendForOptions,
  type SendForSummary,
  type SendOptions,
  type SendResult,
  WebhookDispatcher,
} from './webhook-dispatcher.js';
