export { OutageLog } from './relay/outage-log.js';
export { type CancelResult, Deliveries, type RetryResult } from './management/deliveries.js';
export type { DeliveryPage } from './log/log-scan.js';
export {
  type DeliveryHistoryOptions,
  checkSelection,
  MAX_SELECTED,
  type DeliveryQuery,
  type ReplayOptions,
} from './log/delivery-query.js';
export { ANSWER_CLASSES, type AnswerClass } from './tables/delivery-record.js';
export type { DeliveryDetails, DeliveryRecord, DeliveryStats } from './tables/delivery-record.js';
export type { AttemptRecord, DeliveryStatus } from '../delivery/index.js';
export {
  DeliveryReports,
  type DeliverySubscriber,
  type FailingEndpoint,
} from './management/delivery-reports.js';
export type { AttemptFigures, AttemptFiguresQuery, AttemptHistory } from './log/attempt-figures.js';
export type { EndpointAttempts, EndpointOverview } from './log/endpoint-overview.js';
export type { EndpointPause, EndpointState, EndpointStates } from './management/endpoint-states.js';
export type { MissingPart, SentRequest } from './log/sent-request.js';
export { ThornAttempt, ThornDelivery, ThornMessage } from './tables/entities.js';
export type { LongWorkOptions, Summary } from '../common/long-work.js';
export {
  Maintenance,
  type PruneOptions,
  type PruneSummary,
  type ResealCounts,
  type ResealOptions,
  type ResealSummary,
} from './management/maintenance.js';
export type { PruneCounts } from './retention/retention-pass.js';
export { outboxServices } from './management/outbox-services.js';
export { MessageRelay, RelayWorker, type Ticket } from './relay/message-relay.js';
export { batchesOf, type TicketBatch, ticketsOf } from './relay/ticket-batch.js';
export { TicketSender } from './relay/ticket-sender.js';
export type { EndpointHealth } from './wait/host-scheduler.js';
export type { Pause } from './wait/host-pauses.js';
export { outbox, relayedOutbox, type RelayDefinition } from './strategy/outbox.js';
export { type EndpointRules, type OutboxOptions, OutboxSettings } from './outbox-options.js';
export { OutboxLockedError } from './stage/message-stager.js';
export { OutboxTimeoutError } from '../database/errors.js';
export { RecipientUnknownError } from '../dispatch/recipients/recipient-finder.js';
export { OutboxStrategy } from './strategy/outbox.strategy.js';
export { SqlClients, type OutboxDependencies } from './strategy/outbox-dependencies.js';
export type { ReplayCounts } from './retry/reopen.js';
export type { RecentlyResent, ReplaySummary } from './retry/replay.js';
export type { DeliveryDay, DeliveryFigures, DeliveryHistory } from './log/delivery-figures.js';
export { SubscriberHealth } from './record/subscriber-health.js';
export type { Outcome } from './outcome.js';
