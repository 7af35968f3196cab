import { construct, named } from '../../common/construct.js';
import { Clock } from '../../common/index.js';
import { DeliveryLog, WebhookEvents } from '../../delivery/index.js';
import { DispatchStrategy, FanOut, UnheardEvents } from '../../dispatch/index.js';
import { WebhookFormats } from '../../message/index.js';
import { SecretSealer } from '../../signing/index.js';
import { SubscriberRepository } from '../../subscriber/index.js';
import { Deliveries } from './deliveries.js';
import { DeliveryReports } from './delivery-reports.js';
import { Maintenance } from './maintenance.js';

/** Providers of the services that manage what the outbox stores. */
export const outboxServices = [
  construct(
    Deliveries,
    named({
      strategy: DispatchStrategy,
      subscribers: SubscriberRepository,
      fanOut: FanOut,
      events: WebhookEvents,
      log: DeliveryLog,
      clock: Clock,
      unheard: UnheardEvents,
    }),
  ),
  construct(
    DeliveryReports,
    named({
      strategy: DispatchStrategy,
      deliveries: Deliveries,
      subscribers: SubscriberRepository,
      fanOut: FanOut,
      formats: WebhookFormats,
      clock: Clock,
    }),
  ),
  construct(
    Maintenance,
    named({
      strategy: DispatchStrategy,
      subscribers: SubscriberRepository,
      sealer: SecretSealer,
      clock: Clock,
    }),
  ),
];
