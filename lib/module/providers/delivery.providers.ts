import type { Provider } from '@nestjs/common';
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
import { ApplicationKeys, SecretSealer, UnsubscribeLinks } from '../../signing/index.js';
import { ThornSettings } from '../options/settings.js';

export const deliveryProviders: readonly Provider[] = [
  Codecs,
  Deliverer,
  MessageFactory,
  WebhookEvents,
  WebhookFormats,
  {
    provide: RecipientPolicies,
    inject: [RecipientPolicy, ThornSettings],
    useFactory: (policy: RecipientPolicy, { options }: ThornSettings) =>
      new RecipientPolicies(policy, options.recipients),
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
