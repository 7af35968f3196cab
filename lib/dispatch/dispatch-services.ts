import { construct, named } from '../common/construct.js';
import { Clock } from '../common/index.js';
import { RecipientPolicies } from '../delivery/index.js';
import { EventCatalogue } from '../event/index.js';
import { MessageFactory, MessageTracing } from '../message/index.js';
import { StaticSubscriberSet, SubscriberRepository } from '../subscriber/index.js';
import { EventHistory } from './event-history.js';
import { EntityMessageSource } from './rows/entity-message-source.js';
import { MessagePipeline } from './message-pipeline.js';
import { FanOut } from './recipients/fan-out.js';
import { UnheardEvents } from './unheard-events.js';
import { DispatchStrategy } from './strategies/dispatch-strategy.js';
import { Transactions } from './transactions.js';
import { WebhookDispatcher } from './webhook-dispatcher.js';

/** Providers of the services that send messages and find their recipients. */
export const dispatchServices = [
  construct(EventHistory, DispatchStrategy, EventCatalogue, Clock),
  construct(FanOut, SubscriberRepository, StaticSubscriberSet, Clock),
  construct(MessagePipeline, DispatchStrategy, Clock, MessageTracing, UnheardEvents),
  construct(
    WebhookDispatcher,
    named({
      messages: MessageFactory,
      pipeline: MessagePipeline,
      transactions: Transactions,
      catalogue: EventCatalogue,
      statics: StaticSubscriberSet,
      policies: RecipientPolicies,
      entities: EntityMessageSource,
      events: EventHistory,
    }),
  ),
];
