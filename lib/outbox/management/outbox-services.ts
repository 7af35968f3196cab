import type { Provider } from '@nestjs/common';
import { Clock } from '../../common/index.js';
import { DeliveryLog, WebhookEvents } from '../../delivery/index.js';
import { DispatchStrategy, FanOut, UnheardEvents } from '../../dispatch/index.js';
import { SubscriberRepository } from '../../subscriber/index.js';
import { Deliveries } from './deliveries.js';
import { DeliveryReports } from './delivery-reports.js';
import { Maintenance } from './maintenance.js';

/** The services that manage what the outbox stores. */
export const outboxServices: readonly Provider[] = [
  DeliveryReports,
  Maintenance,
  {
    provide: Deliveries,
    inject: [
      DispatchStrategy,
      SubscriberRepository,
      FanOut,
      WebhookEvents,
      DeliveryLog,
      Clock,
      UnheardEvents,
    ],
    useFactory: (
      strategy: DispatchStrategy,
      subscribers: SubscriberRepository,
      fanOut: FanOut,
      events: WebhookEvents,
      log: DeliveryLog,
      clock: Clock,
      unheard: UnheardEvents,
    ) => new Deliveries({ strategy, subscribers, fanOut, events, log, clock, unheard }),
  },
];
