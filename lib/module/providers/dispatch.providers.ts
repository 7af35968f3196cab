import type { FactoryProvider } from '@nestjs/common';
import { Clock } from '../../common/index.js';
import {
  Deliverer,
  DeliveryLog,
  RecipientPolicies,
  RecipientPolicy,
  WebhookEvents,
  WebhookHttpClient,
} from '../../delivery/index.js';
import {
  DispatchStrategy,
  EntityMessageSource,
  FanOut,
  MessagePipeline,
  Transactions,
  WebhookDispatcher,
} from '../../dispatch/index.js';
import { EventCatalogue } from '../../event/index.js';
import {
  Codecs,
  envelopeName,
  MessageFactory,
  MessageTracing,
  WireFormat,
} from '../../message/index.js';
import {
  Deliveries,
  Maintenance,
  OutboxDataSources,
  OutcomeListener,
  SubscriberHealth,
} from '../../outbox/index.js';
import {
  ApplicationKeys,
  SecretSealer,
  UnsubscribeLinks,
  WebhookSigner,
} from '../../signing/index.js';
import { healthRules, StaticSubscriberSet, SubscriberRepository } from '../../subscriber/index.js';
import { CapturedDataSources } from './data-source.providers.js';
import { ThornSettings } from '../options/settings.js';

const DEFAULT_TIMEOUT_MS = 3000;
const DEFAULT_USER_AGENT = 'nestjs-thorn';

/** Provides the services that make, send and deliver messages. */
export const dispatchProviders: readonly FactoryProvider[] = [
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
  {
    provide: Deliveries,
    inject: [DispatchStrategy, SubscriberRepository, FanOut, WebhookEvents, DeliveryLog, Clock],
    useFactory: (
      strategy: DispatchStrategy,
      subscribers: SubscriberRepository,
      fanOut: FanOut,
      events: WebhookEvents,
      log: DeliveryLog,
      clock: Clock,
    ) => new Deliveries({ strategy, subscribers, fanOut, events, log, clock }),
  },
  {
    provide: Maintenance,
    inject: [DispatchStrategy, SubscriberRepository, SecretSealer, Clock],
    useFactory: (
      strategy: DispatchStrategy,
      subscribers: SubscriberRepository,
      sealer: SecretSealer,
      clock: Clock,
    ) => new Maintenance({ strategy, subscribers, sealer, clock }),
  },
  { provide: WebhookEvents, useFactory: () => new WebhookEvents() },
  {
    provide: ApplicationKeys,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings) => new ApplicationKeys(options.signing),
  },
  {
    provide: WireFormat,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings) =>
      new WireFormat(envelopeName(options.envelope), options.signing?.hookHmac),
  },
  {
    provide: Codecs,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings) => new Codecs(options.codecs),
  },
  {
    provide: MessageFactory,
    inject: [Clock, Codecs, ThornSettings, MessageTracing],
    useFactory: (
      clock: Clock,
      codecs: Codecs,
      { options }: ThornSettings,
      tracing: MessageTracing,
    ) => new MessageFactory(clock, codecs, { ...options, tracing }),
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
    provide: UnsubscribeLinks,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings) =>
      options.unsubscribe === undefined ? null : new UnsubscribeLinks(options.unsubscribe),
  },
  {
    provide: Deliverer,
    inject: [
      WebhookHttpClient,
      WebhookSigner,
      Clock,
      RecipientPolicies,
      ThornSettings,
      UnsubscribeLinks,
      MessageTracing,
    ],
    useFactory: (
      client: WebhookHttpClient,
      signer: WebhookSigner,
      clock: Clock,
      policies: RecipientPolicies,
      { options }: ThornSettings,
      links: UnsubscribeLinks | null,
      tracing: MessageTracing,
    ) =>
      new Deliverer(client, signer, clock, {
        timeout: options.timeout ?? DEFAULT_TIMEOUT_MS,
        userAgent: options.userAgent ?? DEFAULT_USER_AGENT,
        policies,
        links: links ?? undefined,
        tracing,
      }),
  },
  {
    provide: MessagePipeline,
    inject: [DispatchStrategy, Clock, MessageTracing],
    useFactory: (strategy: DispatchStrategy, clock: Clock, tracing: MessageTracing) =>
      new MessagePipeline(strategy, clock, tracing),
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
      EntityMessageSource,
      ThornSettings,
    ],
    useFactory: (
      messages: MessageFactory,
      pipeline: MessagePipeline,
      transactions: Transactions,
      catalogue: EventCatalogue,
      statics: StaticSubscriberSet,
      policies: RecipientPolicies,
      entities: EntityMessageSource,
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
