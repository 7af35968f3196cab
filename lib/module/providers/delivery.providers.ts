import type { Provider } from '@nestjs/common';
import { Clock } from '../../common/index.js';
import {
  Deliverer,
  RecipientPolicies,
  RecipientPolicy,
  WebhookEvents,
} from '../../delivery/index.js';
import {
  Codecs,
  envelopeName,
  MessageFactory,
  WebhookFormats,
  WireFormat,
} from '../../message/index.js';
import { SubscriberHealth } from '../../outbox/index.js';
import { ApplicationKeys, SecretSealer, UnsubscribeLinks } from '../../signing/index.js';
import { healthRules, SubscriberRepository } from '../../subscriber/index.js';
import { ThornSettings } from '../options/settings.js';

export const deliveryProviders: readonly Provider[] = [
  Deliverer,
  MessageFactory,
  WebhookEvents,
  {
    provide: RecipientPolicies,
    inject: [RecipientPolicy, ThornSettings],
    useFactory: (policy: RecipientPolicy, { options }: ThornSettings) =>
      new RecipientPolicies(policy, options.recipients),
  },
  {
    provide: Codecs,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings) => new Codecs(options.codecs),
  },
  {
    provide: WebhookFormats,
    inject: [ThornSettings],
    useFactory: ({ options: { formats, envelope } }: ThornSettings) =>
      new WebhookFormats(formats, typeof envelope === 'function'),
  },
  {
    provide: SubscriberHealth,
    inject: [SubscriberRepository, WebhookEvents, Clock, ThornSettings],
    useFactory: (
      subscribers: SubscriberRepository,
      events: WebhookEvents,
      clock: Clock,
      { options }: ThornSettings,
    ) => new SubscriberHealth({ subscribers, events, clock, rules: healthRules(options.health) }),
  },
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
    provide: UnsubscribeLinks,
    inject: [ThornSettings],
    useFactory: ({ options: { unsubscribe } }: ThornSettings) =>
      unsubscribe === undefined ? null : new UnsubscribeLinks(unsubscribe),
  },
  {
    provide: WireFormat,
    inject: [ThornSettings],
    useFactory: ({ options: { envelope, signing, orderInBody } }: ThornSettings) =>
      new WireFormat(envelopeName(envelope), signing?.hookHmac, orderInBody),
  },
];
