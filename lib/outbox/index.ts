export { Absence } from './absence.js';
export { ThornAttempt } from './attempt.entity.js';
export {
  type CancelResult,
  Deliveries,
  type DeliveriesTools,
  type DeliveryPage,
  type RetryResult,
} from './deliveries.js';
export {
  type BackfillOptions,
  type DeliveryQuery,
  type ReplayOptions,
  type RetryFailedOptions,
} from './deliveries-input.js';
export type { DeliveryDetails, DeliveryRecord, DeliveryStats } from './delivery-record.js';
export type { AttemptRecord, DeliveryStatus } from '../delivery/index.js';
export { ThornDelivery } from './delivery.entity.js';
export { outboxEntities } from './entities.js';
export type { EndpointRules } from './endpoint-state.js';
export { ThornHealth } from './health.entity.js';
export type { LongWorkOptions, Summary } from './batches.js';
export {
  Maintenance,
  type MaintenanceTools,
  type PruneOptions,
  type PruneSummary,
  type ResealCounts,
  type ResealOptions,
  type ResealSummary,
} from './maintenance.js';
export type { PruneCounts } from './pruning.js';
export { contentsOf, type MessageContents, mayBeCarried } from './message-contents.js';
export { MessageRelay, RelayWorker, type Ticket } from './message-relay.js';
export { parcelsOf, type TicketParcel, ticketsOf } from './ticket-parcel.js';
export { TicketSender } from './ticket-sender.js';
export type { EndpointHealth } from './lanes.js';
export { ThornMessage } from './message.entity.js';
export { ThornPause } from './pause.entity.js';
export type { Pause } from './pauses.js';
export { OutboxDataSources } from './outbox-data-sources.js';
export type { OutboxOptions } from './outbox-options.js';
export { OutboxLockedError } from './outbox-locked.error.js';
export { OutboxTimeoutError } from './outbox-timeout.error.js';
export { RateLimiter, type RateAnswers, type RateAsks } from './rate-limiter.js';
export { giveTurns, type RateAnswer, type RateAsk } from './rate-turns.js';
export { rememberedUntil, textOf, windowOf } from './rate-window.js';
export { ThornRateLimit } from './rate-limit.entity.js';
export { RecipientUnknownError } from './recipient-unknown.error.js';
export { outbox, relayedOutbox, type RelayDefinition } from './outbox-definition.js';
export { OutboxStrategy } from './outbox.strategy.js';
export type { OutboxTools } from './outbox-tools.js';
export { NoOutcomeListener, OutcomeListener } from './outcome-listener.js';
export type { ReplayCounts, ReplaySummary } from './replay.js';
export type { Outcome } from './settlement.js';
export type { DeliveryDay, DeliveryFigures, DeliveryHistory } from './subscriber-days.js';
export { type HealthTools, SubscriberHealth } from './subscriber-health.js';
