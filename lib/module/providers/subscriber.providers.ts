import type { Provider } from '@nestjs/common';
import { checkResolvedAddresses, RecipientPolicy } from '../../delivery/index.js';
import { checkFilterFields, EventCatalogue } from '../../event/index.js';
import { Codecs, WebhookFormats } from '../../message/index.js';
import { checkSecret, generateSecret } from '../../signing/index.js';
import { StaticSubscriberSet, SubscriberRules, Subscribers } from '../../subscriber/index.js';
import { ThornSettings } from '../options/settings.js';

export const subscriberProviders: readonly Provider[] = [
  EventCatalogue,
  Subscribers,
  {
    provide: SubscriberRules,
    inject: [RecipientPolicy, Codecs, WebhookFormats, EventCatalogue, ThornSettings],
    useFactory: subscriberRules,
  },
  {
    provide: StaticSubscriberSet,
    inject: [RecipientPolicy, Codecs, WebhookFormats, ThornSettings],
    useFactory: staticSubscribers,
  },
];

function subscriberRules(
  policy: RecipientPolicy,
  { contentTypes }: Codecs,
  formats: WebhookFormats,
  catalogue: EventCatalogue,
  { options }: ThornSettings,
): SubscriberRules {
  return {
    checkUrl: (url) => policy.checkUrl(url),
    contentTypes,
    formats,
    // With a proxy, names are its own to look up.
    ...(options.egressProxy === undefined && {
      checkAddresses: (url: string) =>
        checkResolvedAddresses(policy.checkUrl(url), policy, options.http?.lookup),
    }),
    checkPatternKnown: (pattern) => catalogue.checkPatternKnown(pattern),
    // An envelope of the application's own may have fields beside the data, or no data at all.
    ...(typeof options.envelope !== 'function' && {
      checkFilter: checkFilterFields.bind(null, catalogue),
    }),
    checkSecret,
    generateSecret,
  };
}

function staticSubscribers(
  policy: RecipientPolicy,
  { contentTypes }: Codecs,
  formats: WebhookFormats,
  { options: { subscribers = {} } }: ThornSettings,
): StaticSubscriberSet {
  const statics = new StaticSubscriberSet({
    checkUrl: (url) => policy.checkUrl(url),
    contentTypes,
    formats,
    checkSecret,
  });
  for (const [pattern, source] of Object.entries(subscribers)) statics.add(pattern, source);
  return statics;
}
