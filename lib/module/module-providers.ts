import type {
  ClassProvider,
  DynamicModule,
  FactoryProvider,
  InjectionToken,
  Provider,
  Type,
} from '@nestjs/common';
import { ApplicationReport } from '../api/index.js';
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
import { ThornSettings } from './options/settings.js';
import { loadTypeOrmSources } from './load-typeorm.js';
import { settingsProviders } from './providers/settings.providers.js';
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
  // Durable wherever there is a database to be durable in.
  const dispatch = extras.dispatch ?? (isDurable ? outbox() : inline());
  const replaceable = [
    orOwn(extras.clock, { provide: Clock, useClass: SystemClock }),
    orOwn(extras.signer, {
      provide: WebhookSigner,
      inject: [ApplicationKeys, WireFormat],
      useFactory: (keys: ApplicationKeys, wire: WireFormat) =>
        new StandardWebhookSigner(keys, wire),
    }),
    orOwn(extras.recipientPolicy, {
      provide: RecipientPolicy,
      inject: [ThornSettings],
      useFactory: ({ options }: ThornSettings) => new PublicRecipientPolicy(options.recipients),
    }),
    orOwn(extras.retryPolicy, {
      provide: RetryPolicy,
      inject: [ThornSettings],
      useFactory: ({ options }: ThornSettings) => new StandardRetryPolicy(options.retries),
    }),
    orOwn(extras.deliveryLog, {
      provide: DeliveryLog,
      inject: [ThornSettings],
      useFactory: ({ options }: ThornSettings) => new StandardDeliveryLog(options.keepAttempts),
    }),
    orOwn(extras.httpClient, {
      provide: WebhookHttpClient,
      inject: [RecipientPolicy, ThornSettings],
      useFactory: (policy: RecipientPolicy, { options: { http, egressProxy } }: ThornSettings) =>
        new UndiciHttpClient(policy, {
          ...http,
          ...(egressProxy !== undefined && { egressProxy }),
        }),
    }),
    orOwn(extras.tracing, { provide: MessageTracing, useClass: NoTracing }),
    orOwn(extras.subscriberRepository, isDurable ? DATABASE_REPOSITORY : IN_MEMORY_REPOSITORY),
    strategyProvider(dispatch),
  ];
  // Applications inject the default client by its own class, to add interceptors to its axios instance.
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
    ...settingsProviders(dispatch),
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
function orOwn<Service>(own: Type<Service> | undefined, fallback: Replaceable): Replaceable {
  return own === undefined ? fallback : { provide: fallback.provide, useClass: own };
}

type Replaceable = FactoryProvider | ClassProvider;

function strategyProvider(dispatch: DispatchSetting) {
  if (typeof dispatch === 'function') return { provide: DispatchStrategy, useClass: dispatch };
  const { inject = [], useFactory } = dispatch;
  return { provide: DispatchStrategy, inject, useFactory };
}

const IN_MEMORY_REPOSITORY: ClassProvider = {
  provide: SubscriberRepository,
  useClass: InMemorySubscriberRepository,
};

const DATABASE_REPOSITORY: FactoryProvider = {
  provide: SubscriberRepository,
  inject: [SqlClients, Clock, ThornSettings, SecretSealer],
  useFactory: (
    { database }: SqlClients,
    clock: Clock,
    { options }: ThornSettings,
    sealer: SecretSealer,
  ) => {
    const isTold = options.notify !== undefined;
    return new DatabaseSubscriberRepository(database!, clock, { ...options, isTold }, sealer);
  },
};
