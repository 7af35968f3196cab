import type { Abstract, FactoryProvider, InjectionToken, Provider, Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
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
  DispatchStrategy,
  FanOut,
  inline,
  WebhookDispatcher,
} from '../dispatch/index.js';
import { EventCatalogue } from '../event/index.js';
import { Codecs, MessageFactory, MessageTracing, NoTracing, WireFormat } from '../message/index.js';
import { thornEntities } from '../migrations/index.js';
import { Deliveries, Maintenance, outbox } from '../outbox/index.js';
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
  TypeOrmSubscriberRepository,
} from '../subscriber/index.js';
import { captureProviders } from './providers/capture.providers.js';
import {
  CapturedDataSources,
  dataSourcesProvider,
  withTable,
} from './providers/data-source.providers.js';
import { dispatchProviders } from './providers/dispatch.providers.js';
import type { ThornModuleExtras } from './options/module-options.js';
import { ThornSettings } from './options/settings.js';
import { subscriberProviders } from './providers/subscriber.providers.js';
import { ChangeFeeds } from './change-feeds.js';
import { EventDiscovery } from './event-discovery.js';
import { SchemaCheck } from './schema-check.js';
import { StartupReport } from './startup-report.js';

/** Everything that the module provides, and what of it other modules may inject. */
export function thornProviders(extras: ThornModuleExtras): {
  providers: Provider[];
  exports: InjectionToken[];
} {
  const names = extras.dataSources ?? ['default'];
  // For the sake of autoLoadEntities alone: the providers that it answers would hide a missing data source behind an
  // error of the injector.
  for (const name of names) TypeOrmModule.forFeature(thornEntities, name);
  const pluggable = [
    pluggableProvider(Clock, extras.clock, { useFactory: () => new SystemClock() }),
    pluggableProvider(WebhookSigner, extras.signer, {
      inject: [ApplicationKeys, WireFormat],
      useFactory: (keys: ApplicationKeys, format: WireFormat) =>
        new StandardWebhookSigner(keys, format),
    }),
    pluggableProvider(RecipientPolicy, extras.recipientPolicy, {
      inject: [ThornSettings],
      useFactory: ({ options }: ThornSettings) => new PublicRecipientPolicy(options.recipients),
    }),
    pluggableProvider(RetryPolicy, extras.retryPolicy, {
      inject: [ThornSettings],
      useFactory: ({ options }: ThornSettings) => new StandardRetryPolicy(options.retries),
    }),
    pluggableProvider(DeliveryLog, extras.deliveryLog, {
      inject: [ThornSettings],
      useFactory: ({ options }: ThornSettings) => new StandardDeliveryLog(options.keepAttempts),
    }),
    pluggableProvider(WebhookHttpClient, extras.httpClient, {
      inject: [RecipientPolicy, ThornSettings],
      useFactory: (policy: RecipientPolicy, { options }: ThornSettings) =>
        new UndiciHttpClient(policy, {
          ...options.http,
          ...(options.egressProxy === undefined ? {} : { egressProxy: options.egressProxy }),
        }),
    }),
    pluggableProvider(MessageTracing, extras.tracing, { useFactory: () => new NoTracing() }),
    repositoryProvider(extras, names),
    // Durable wherever there is a database to be durable in.
    strategyProvider(extras.dispatch ?? (names.length > 0 ? outbox() : inline())),
  ];
  // The default client by its own name, for those who add interceptors to its axios instance.
  const client =
    extras.httpClient === undefined
      ? [{ provide: UndiciHttpClient, useExisting: WebhookHttpClient }]
      : [];
  const services = [
    dataSourcesProvider(names),
    SchemaCheck,
    ChangeFeeds,
    EventDiscovery,
    StartupReport,
    ...client,
    ...dispatchProviders,
    ...subscriberProviders,
    ...captureProviders,
  ];
  return {
    providers: [...pluggable, ...services],
    exports: [
      ...[...pluggable, ...client].map(({ provide }) => provide),
      ApplicationKeys,
      Codecs,
      Deliveries,
      Deliverer,
      EventCatalogue,
      FanOut,
      Maintenance,
      MessageFactory,
      SecretSealer,
      Subscribers,
      WebhookDispatcher,
      WebhookEvents,
      WireFormat,
    ],
  };
}

function pluggableProvider<Service>(
  token: Abstract<Service>,
  given: Type<Service> | undefined,
  fallback: Pick<FactoryProvider<Service>, 'inject' | 'useFactory'>,
) {
  return given === undefined
    ? { provide: token, ...fallback }
    : { provide: token, useClass: given };
}

function strategyProvider(dispatch: DispatchSetting) {
  if (typeof dispatch === 'function') return { provide: DispatchStrategy, useClass: dispatch };
  const { inject = [], useFactory } = dispatch;
  return { provide: DispatchStrategy, inject, useFactory };
}

function repositoryProvider(
  { subscriberRepository }: ThornModuleExtras,
  [name]: readonly string[],
) {
  if (subscriberRepository !== undefined)
    return { provide: SubscriberRepository, useClass: subscriberRepository };
  if (name === undefined) {
    return { provide: SubscriberRepository, useFactory: () => new InMemorySubscriberRepository() };
  }
  return {
    provide: SubscriberRepository,
    inject: [CapturedDataSources, Clock, ThornSettings, SecretSealer],
    useFactory: (
      { all: [dataSource] }: CapturedDataSources,
      clock: Clock,
      { options }: ThornSettings,
      sealer: SecretSealer,
    ) => new TypeOrmSubscriberRepository(withTable(dataSource!), clock, options, sealer),
  };
}
