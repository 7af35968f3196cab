import type { FactoryProvider } from '@nestjs/common';
import { construct, from, named, provide } from '../../common/construct.js';
import { Clock } from '../../common/index.js';
import {
  Deliverer,
  RecipientPolicies,
  RecipientPolicy,
  WebhookEvents,
  WebhookHttpClient,
} from '../../delivery/index.js';
import { DispatchStrategy, FanOut, SubscriberExpiry, UnheardEvents } from '../../dispatch/index.js';
import { EventCatalogue } from '../../event/index.js';
import {
  Codecs,
  envelopeName,
  MessageFactory,
  MessageTracing,
  WebhookFormats,
  WireFormat,
} from '../../message/index.js';
import { SubscriberHealth } from '../../outbox/index.js';
import { ApplicationKeys, UnsubscribeLinks, WebhookSigner } from '../../signing/index.js';
import { healthRules, SubscriberRepository } from '../../subscriber/index.js';
import { option, ThornSettings } from '../options/settings.js';

export const deliveryProviders: readonly FactoryProvider[] = [
  construct(WebhookEvents),
  construct(
    SubscriberHealth,
    named({
      subscribers: SubscriberRepository,
      events: WebhookEvents,
      clock: Clock,
      rules: from([ThornSettings], ({ options }) => healthRules(options.health)),
    }),
  ),
  construct(
    SubscriberExpiry,
    named({
      subscribers: SubscriberRepository,
      events: WebhookEvents,
      strategy: DispatchStrategy,
      clock: Clock,
      expiredDays: option('expiredDays'),
    }),
  ),
  construct(ApplicationKeys, option('signing')),
  construct(
    WireFormat,
    from([ThornSettings], ({ options }) => envelopeName(options.envelope)),
    from([ThornSettings], ({ options }) => options.signing?.hookHmac),
    from([ThornSettings], ({ options }) => options.orderInBody ?? undefined),
  ),
  construct(Codecs, option('codecs')),
  construct(
    WebhookFormats,
    option('formats'),
    from([ThornSettings], ({ options }) => typeof options.envelope === 'function'),
  ),
  construct(UnheardEvents, DispatchStrategy, FanOut, option('keep'), EventCatalogue),
  construct(
    MessageFactory,
    Clock,
    Codecs,
    named({
      envelope: option('envelope'),
      baseUrl: option('baseUrl'),
      orderInBody: option('orderInBody'),
      tracing: MessageTracing,
    }),
  ),
  construct(RecipientPolicies, RecipientPolicy, option('recipients')),
  provide(
    UnsubscribeLinks,
    from([ThornSettings], ({ options: { unsubscribe } }) =>
      unsubscribe === undefined ? null : new UnsubscribeLinks(unsubscribe),
    ),
  ),
  construct(
    Deliverer,
    WebhookHttpClient,
    WebhookSigner,
    Clock,
    named({
      timeout: option('timeout'),
      userAgent: option('userAgent'),
      policies: RecipientPolicies,
      links: UnsubscribeLinks,
      answerHeaders: option('answerHeaders'),
      formats: WebhookFormats,
      tracing: MessageTracing,
    }),
  ),
];
