import type { FactoryProvider } from '@nestjs/common';
import { Clock } from '../../common/index.js';
import { checkResolvedAddresses, RecipientPolicy } from '../../delivery/index.js';
import { checkFilterFields, EventCatalogue } from '../../event/index.js';
import { Codecs } from '../../message/index.js';
import { checkSecret, generateSecret, SecretSealer } from '../../signing/index.js';
import { StaticSubscriberSet, SubscriberRepository, Subscribers } from '../../subscriber/index.js';
import { ThornSettings } from '../options/settings.js';

/** Provides the subscribers, and the events that may be subscribed to. */
export const subscriberProviders: readonly FactoryProvider[] = [
  {
    provide: SecretSealer,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings) => new SecretSealer(options.encryption),
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
        // With a proxy, names are its own to look up.
        ...(options.egressProxy === undefined
          ? {
              checkAddresses: (url: string) =>
                checkResolvedAddresses(policy.checkUrl(url), policy, options.http?.lookup),
            }
          : {}),
        checkPatternKnown: (pattern) => catalogue.checkPatternKnown(pattern),
        // An envelope of the application's own may have fields beside the data, or no data at all.
        ...(typeof options.envelope !== 'function'
          ? {
              checkFilter: (filter, subscriber) => checkFilterFields(catalogue, filter, subscriber),
            }
          : {}),
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
];
