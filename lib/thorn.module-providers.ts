import type { Abstract, FactoryProvider, InjectionToken, Provider, Type } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import {
  CapturedEntityEvents,
  DeclaredEvents,
  EntityCapture,
  FrameTransactions,
} from './capture/index.js';
import { Clock, SystemClock } from './common/index.js';
import {
  checkResolved,
  Deliverer,
  PublicRecipientPolicy,
  RecipientPolicies,
  RecipientPolicy,
  RetryPolicy,
  StandardRetryPolicy,
  UndiciHttpClient,
  WebhookEvents,
  WebhookHttpClient,
} from './delivery/index.js';
import {
  type DispatchSetting,
  DispatchStrategy,
  EntityEvents,
  FanOut,
  inline,
  MessagePipeline,
  Transactions,
  WebhookDispatcher,
} from './dispatch/index.js';
import { ThornConfigurationError } from './errors/index.js';
import { EventCatalogue } from './event/index.js';
import { Codecs, MessageFactory } from './message/index.js';
import { thornEntities } from './migrations/index.js';
import { outbox, OutboxDataSources, OutcomeListener, SubscriberHealth } from './outbox/index.js';
import {
  ApplicationKeys,
  checkSecret,
  generateSecret,
  SecretSealer,
  StandardWebhookSigner,
  WebhookSigner,
} from './signing/index.js';
import {
  healthRules,
  InMemorySubscriberRepository,
  StaticSubscriberSet,
  SubscriberRepository,
  Subscribers,
  ThornSubscriber,
  TypeOrmSubscriberRepository,
} from './subscriber/index.js';
import { type ThornModuleExtras, ThornSettings } from './thorn.module-options.js';

const DEFAULT_TIMEOUT_MS = 3000;
const DEFAULT_USER_AGENT = 'nestjs-thorn';

/** The captured data sources, in the order of the option `dataSources`. */
export class CapturedDataSources {
  constructor(readonly all: readonly DataSource[]) {}
}

/** The captures of the captured data sources, listening. */
export class EntityCaptures {
  constructor(readonly all: readonly EntityCapture[]) {}
}

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
      inject: [ApplicationKeys],
      useFactory: (keys: ApplicationKeys) => new StandardWebhookSigner(keys),
    }),
    pluggableProvider(RecipientPolicy, extras.recipientPolicy, {
      inject: [ThornSettings],
      useFactory: ({ options }: ThornSettings) => new PublicRecipientPolicy(options.recipients),
    }),
    pluggableProvider(RetryPolicy, extras.retryPolicy, {
      inject: [ThornSettings],
      useFactory: ({ options }: ThornSettings) => new StandardRetryPolicy(options.retries),
    }),
    pluggableProvider(WebhookHttpClient, extras.httpClient, {
      inject: [RecipientPolicy, ThornSettings],
      useFactory: (policy: RecipientPolicy, { options }: ThornSettings) =>
        new UndiciHttpClient(policy, options.http),
    }),
    repositoryProvider(extras, names),
    // Durable wherever there is a database to be durable in.
    strategyProvider(extras.dispatch ?? (names.length > 0 ? outbox() : inline())),
  ];
  // The default client by its own name, for those who add interceptors to its axios instance.
  const client =
    extras.httpClient === undefined
      ? [{ provide: UndiciHttpClient, useExisting: WebhookHttpClient }]
      : [];
  const services = [dataSourcesProvider(names), ...client, ...SERVICES];
  return {
    providers: [...pluggable, ...services],
    exports: [
      ...[...pluggable, ...client].map(({ provide }) => provide),
      ApplicationKeys,
      Codecs,
      Deliverer,
      EventCatalogue,
      FanOut,
      MessageFactory,
      SecretSealer,
      Subscribers,
      WebhookDispatcher,
      WebhookEvents,
    ],
  };
}

const SERVICES: readonly FactoryProvider[] = [
  {
    provide: OutboxDataSources,
    inject: [CapturedDataSources],
    useFactory: ({ all }: CapturedDataSources) => new OutboxDataSources(all),
  },
  {
    provide: OutcomeListener,
    inject: [SubscriberRepository, WebhookEvents, Clock, ThornSettings],
    useFactory: (
      subscribers: SubscriberRepository,
      events: WebhookEvents,
      clock: Clock,
      { options }: ThornSettings,
    ) => new SubscriberHealth({ subscribers, events, clock, rules: healthRules(options.health) }),
  },
  { provide: WebhookEvents, useFactory: () => new WebhookEvents() },
  {
    provide: ApplicationKeys,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings) => new ApplicationKeys(options.signing),
  },
  {
    provide: SecretSealer,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings) => new SecretSealer(options.encryption),
  },
  {
    provide: Codecs,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings) => new Codecs(options.codecs),
  },
  {
    provide: MessageFactory,
    inject: [Clock, Codecs, ThornSettings],
    useFactory: (clock: Clock, codecs: Codecs, { options }: ThornSettings) =>
      new MessageFactory(clock, codecs, options),
  },
  {
    provide: EventCatalogue,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings) => new EventCatalogue(options),
  },
  {
    provide: Subscribers,
    inject: [SubscriberRepository, Clock, RecipientPolicy, Codecs, EventCatalogue, ThornSettings],
    useFactory: (
      repository: SubscriberRepository,
      clock: Clock,
      policy: RecipientPolicy,
      codecs: Codecs,
      catalogue: EventCatalogue,
      { options }: ThornSettings,
    ) =>
      new Subscribers(repository, clock, {
        checkUrl: (url) => policy.checkUrl(url),
        contentTypes: codecs.contentTypes,
        checkAddresses: (url) => checkResolved(policy.checkUrl(url), policy, options.http?.lookup),
        checkPatternKnown: (pattern) => catalogue.checkPatternKnown(pattern),
        checkSecret,
        generateSecret,
      }),
  },
  {
    provide: StaticSubscriberSet,
    inject: [RecipientPolicy, Codecs, ThornSettings],
    useFactory: (policy: RecipientPolicy, codecs: Codecs, { options }: ThornSettings) => {
      const statics = new StaticSubscriberSet({
        checkUrl: (url) => policy.checkUrl(url),
        contentTypes: codecs.contentTypes,
        checkSecret,
      });
      for (const [pattern, source] of Object.entries(options.subscribers ?? {}))
        statics.add(pattern, source);
      return statics;
    },
  },
  {
    provide: RecipientPolicies,
    inject: [RecipientPolicy, ThornSettings],
    useFactory: (policy: RecipientPolicy, { options }: ThornSettings) =>
      new RecipientPolicies(policy, options.recipients),
  },
  {
    provide: FanOut,
    inject: [SubscriberRepository, StaticSubscriberSet],
    useFactory: (repository: SubscriberRepository, statics: StaticSubscriberSet) =>
      new FanOut(repository, statics),
  },
  {
    provide: Deliverer,
    inject: [WebhookHttpClient, WebhookSigner, Clock, RecipientPolicies, ThornSettings],
    useFactory: (
      client: WebhookHttpClient,
      signer: WebhookSigner,
      clock: Clock,
      policies: RecipientPolicies,
      { options }: ThornSettings,
    ) =>
      new Deliverer(client, signer, clock, {
        timeout: options.timeout ?? DEFAULT_TIMEOUT_MS,
        userAgent: options.userAgent ?? DEFAULT_USER_AGENT,
        policies,
      }),
  },
  {
    provide: MessagePipeline,
    inject: [DispatchStrategy, Clock],
    useFactory: (strategy: DispatchStrategy, clock: Clock) => new MessagePipeline(strategy, clock),
  },
  {
    provide: DeclaredEvents,
    inject: [EventCatalogue, StaticSubscriberSet, RecipientPolicies],
    useFactory: (
      catalogue: EventCatalogue,
      statics: StaticSubscriberSet,
      policies: RecipientPolicies,
    ) => new DeclaredEvents(catalogue, statics, policies),
  },
  {
    provide: EntityCaptures,
    inject: [CapturedDataSources, MessageFactory, MessagePipeline, DeclaredEvents, ThornSettings],
    useFactory: (
      dataSources: CapturedDataSources,
      messageFactory: MessageFactory,
      pipeline: MessagePipeline,
      declared: DeclaredEvents,
      { options }: ThornSettings,
    ) =>
      new EntityCaptures(
        dataSources.all.map((dataSource) => {
          const capture = new EntityCapture(dataSource, {
            messageFactory,
            pipeline,
            ...(options.bulk === undefined ? {} : { bulk: options.bulk }),
          });
          capture.attach();
          declared.addEntities(capture.plans);
          return capture;
        }),
      ),
  },
  {
    provide: Transactions,
    inject: [EntityCaptures],
    useFactory: ({ all }: EntityCaptures) => new FrameTransactions(all),
  },
  {
    provide: EntityEvents,
    inject: [EntityCaptures],
    useFactory: ({ all }: EntityCaptures) => new CapturedEntityEvents(all),
  },
  {
    provide: WebhookDispatcher,
    inject: [
      MessageFactory,
      MessagePipeline,
      Transactions,
      EventCatalogue,
      StaticSubscriberSet,
      RecipientPolicies,
      EntityEvents,
      ThornSettings,
    ],
    useFactory: (
      messages: MessageFactory,
      pipeline: MessagePipeline,
      transactions: Transactions,
      catalogue: EventCatalogue,
      statics: StaticSubscriberSet,
      policies: RecipientPolicies,
      entities: EntityEvents,
      { options }: ThornSettings,
    ) =>
      new WebhookDispatcher(
        messages,
        pipeline,
        transactions,
        catalogue,
        statics,
        policies,
        entities,
        options.strictEvents ?? false,
      ),
  },
];

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
  return typeof dispatch === 'function'
    ? { provide: DispatchStrategy, useClass: dispatch }
    : { provide: DispatchStrategy, ...dispatch };
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

function initialised(dataSource: DataSource, name: string): DataSource {
  if (dataSource.isInitialized) return dataSource;
  throw new ThornConfigurationError(
    `ThornModule: the data source '${name}' is not initialised. Leave out manualInitialization, or call its ` +
      'initialize() before the application starts.',
    { dataSource: name },
  );
}

function withTable(dataSource: DataSource): DataSource {
  if (dataSource.hasMetadata(ThornSubscriber)) return dataSource;
  throw new ThornConfigurationError(
    "ThornModule: the data source does not know the library's tables. Set autoLoadEntities: true, or add " +
      '...thornEntities to its entities and ...thornMigrations to its migrations.',
  );
}

function dataSourcesProvider(names: readonly string[]): FactoryProvider<CapturedDataSources> {
  return {
    provide: CapturedDataSources,
    // The settings first: a wrong option is told before anything that may follow from it.
    inject: [
      ThornSettings,
      ...names.map((name) => ({ token: getDataSourceToken(name), optional: true })),
    ],
    useFactory: (_settings: ThornSettings, ...dataSources: (DataSource | undefined)[]) =>
      new CapturedDataSources(
        dataSources.map((dataSource, index) => {
          if (dataSource !== undefined) return initialised(dataSource, names[index]!);
          throw new ThornConfigurationError(
            `ThornModule: the application has no TypeORM data source named '${names[index]}'. Import ` +
              'TypeOrmModule.forRoot(), name the ones you have in dataSources, or say dataSources: [] to go without.',
            { dataSource: names[index] },
          );
        }),
      ),
  };
}
