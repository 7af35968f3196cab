import type { FactoryProvider } from '@nestjs/common';
import { Clock } from '../../common/index.js';
import { construct, from, provide } from '../../common/construct.js';
import { checkResolvedAddresses, RecipientPolicy } from '../../delivery/index.js';
import { checkFilterFields, EventCatalogue } from '../../event/index.js';
import { Codecs, WebhookFormats } from '../../message/index.js';
import { checkSecret, generateSecret, SecretSealer } from '../../signing/index.js';
import { StaticSubscriberSet, SubscriberRepository, Subscribers } from '../../subscriber/index.js';
import type { SubscriberRules } from '../../subscriber/service/subscriber-rules.js';
import { option, ThornSettings } from '../options/settings.js';

const subscriberRules = from(
  [RecipientPolicy, Codecs, WebhookFormats, EventCatalogue, ThornSettings],
  (policy, { contentTypes }, formats, catalogue, { options }): SubscriberRules => ({
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
  }),
);

export const subscriberProviders: readonly FactoryProvider[] = [
  construct(SecretSealer, option('encryption')),
  construct(
    EventCatalogue,
    from([ThornSettings], ({ options }) => options),
  ),
  construct(Subscribers, SubscriberRepository, Clock, subscriberRules),
  provide(
    StaticSubscriberSet,
    from(
      [RecipientPolicy, Codecs, WebhookFormats, ThornSettings],
      (policy, { contentTypes }, formats, { options: { subscribers = {} } }) => {
        const statics = new StaticSubscriberSet({
          checkUrl: (url) => policy.checkUrl(url),
          contentTypes,
          formats,
          checkSecret,
        });
        for (const [pattern, source] of Object.entries(subscribers)) statics.add(pattern, source);
        return statics;
      },
    ),
  ),
];
