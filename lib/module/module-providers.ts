import type {
  ClassProvider,
  DynamicModule,
  FactoryProvider,
  InjectionToken,
  Provider,
  Type,
} from '@nestjs/common';
import { ApplicationReport } from '../api/index.js';
import { constructAs, from } from '../common/construct.js';
import { Clock, SystemClock } from '../common/index.js';
import {
  Deliverer,
  DeliveryLog,
  PublicRecipientPolicy,
  RecipientPolicy,
  RetryPolicy,
  StandardDeliveryLog,
  StandardRetryPolicy,
  UndiciHttpClient,
  WebhookEvents,
  WebhookHttpClient,
} from '../delivery/index.js';
import {
  type DispatchSetting,
  dispatchServices,
  DispatchStrategy,
  EventHistory,
  FanOut,
  inline,
  WebhookDispatcher,
} from '../dispatch/index.js';
import { EventCatalogue } from '../event/index.js';
import { MessageTracing, NoTracing, WebhookFormats, WireFormat } from '../message/index.js';
import { Deliveries, Maintenance, outbox, outboxServices, SqlClients } from '../outbox/index.js';
import {
  ApplicationKeys,
  SecretSealer,
  StandardWebhookSigner,
  WebhookSigner,
} from '../signing/index.js';
import {
  InMemorySubscriberRepository,
  SubscriberRepository,
  Subscribers,
  DatabaseSubscriberRepository,
} from '../subscriber/index.js';
import { captureProviders } from './providers/capture.providers.js';
import { databaseProviders } from './providers/database.providers.js';
import { deliveryProviders } from './providers/delivery.providers.js';
import { EventDiscovery } from './event-discovery.js';
import type { ThornModuleExtras } from './options/module-options.js';
import { option, ThornSettings } from './options/settings.js';
import { loadTypeOrmSources } from './load-typeorm.js';
import { SchemaCheck } from './schema-check.js';
import { TriggersCheck } from './triggers-check.js';
import { SetupInspection } from './setup-inspection.js';
import { StartupReport } from './startup-report.js';
import { subscriberProviders } from './providers/subscriber.providers.js';

export function thornProviders(extras: ThornModuleExtras): {
  imports: Promise<DynamicModule>[];
  providers: Provider[];
  exports: InjectionToken[];
} {
  const { database } = extras;
  const names = extras.dataSources ?? (database === undefined ? ['default'] : []);
  const isDurable = database !== undefined || names.length > 0;
  const replaceable = [
    orOwn(extras.clock, constructAs(Clock, SystemClock)),
    orOwn(
      extras.signer,
      constructAs(WebhookSigner, StandardWebhookSigner, ApplicationKeys, WireFormat),
    ),
    orOwn(
      extras.recipientPolicy,
      constructAs(RecipientPolicy, PublicRecipientPolicy, option('recipients')),
    ),
    orOwn(extras.retryPolicy, constructAs(RetryPolicy, StandardRetryPolicy, option('retries'))),
    orOwn(
      extras.deliveryLog,
      constructAs(DeliveryLog, StandardDeliveryLog, option('keepAttempts')),
    ),
    orOwn(
      extras.httpClient,
      constructAs(
        WebhookHttpClient,
        UndiciHttpClient,
        RecipientPolicy,
        from([ThornSettings], ({ options: { http, egressProxy } }) => ({ ...http, egressProxy })),
      ),
    ),
    orOwn(extras.tracing, constructAs(MessageTracing, NoTracing)),
    orOwn(extras.subscriberRepository, repositoryProvider(isDurable)),
    // Durable wherever there is a database to be durable in.
    strategyProvider(extras.dispatch ?? (isDurable ? outbox() : inline())),
  ];
  // The default client by its own name, for those who add interceptors to its axios instance.
  const client =
    extras.httpClient === undefined
      ? [{ provide: UndiciHttpClient, useExisting: WebhookHttpClient }]
      : [];
  const services = [
    ...databaseProviders(names.length > 0, database),
    SchemaCheck,
    TriggersCheck,
    EventDiscovery,
    SetupInspection,
    { provide: ApplicationReport, useExisting: SetupInspection },
    StartupReport,
    ...client,
    ...deliveryProviders,
    ...dispatchServices,
    ...outboxServices,
    ...subscriberProviders,
    ...captureProviders,
  ];
  return {
    imports: names.length > 0 ? [loadTypeOrmSources(names)] : [],
    providers: [...replaceable, ...services],
    exports: [
      ...[...replaceable, ...client].map(({ provide }) => provide),
      ApplicationKeys,
      Deliveries,
      Deliverer,
      EventCatalogue,
      EventHistory,
      FanOut,
      Maintenance,
      SecretSealer,
      Subscribers,
      WebhookDispatcher,
      WebhookEvents,
      WebhookFormats,
      WireFormat,
    ],
  };
}

/** A class of the application in place of the default. */
function orOwn<Service>(
  own: Type<Service> | undefined,
  fallback: FactoryProvider<Service>,
): FactoryProvider<Service> | ClassProvider<Service> {
  return own === undefined ? fallback : { provide: fallback.provide, useClass: own };
}

function strategyProvider(dispatch: DispatchSetting) {
  if (typeof dispatch === 'function') return { provide: DispatchStrategy, useClass: dispatch };
  const { inject = [], useFactory } = dispatch;
  return { provide: DispatchStrategy, inject, useFactory };
}

function repositoryProvider(isDurable: boolean): FactoryProvider<SubscriberRepository> {
  if (!isDurable) return constructAs(SubscriberRepository, InMemorySubscriberRepository);
  return constructAs(
    SubscriberRepository,
    DatabaseSubscriberRepository,
    from([SqlClients], ({ tables }) => tables!),
    Clock,
    from([ThornSettings], ({ options }) => options),
    SecretSealer,
  );
}
