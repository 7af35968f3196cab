import type { Provider } from '@nestjs/common';
import { checkResolvedAddresses, RecipientPolicy } from '../../delivery/index.js';
import {
  checkDataPaths,
  checkFilterFields,
  EventCatalogue,
  type UncheckedPaths,
} from '../../event/index.js';
import { InvalidInputError } from '../../errors/index.js';
import {
  Codecs,
  dataPathsOf,
  envelopeName,
  type EnvelopeOption,
  WebhookFormats,
} from '../../message/index.js';
import { checkSecret, generateSecret } from '../../signing/index.js';
import {
  type BodyFields,
  StaticSubscriberSet,
  SubscriberRules,
  Subscribers,
} from '../../subscriber/index.js';
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
    checkBodies: (subscriber) => checkBodies(subscriber, catalogue, options.envelope),
    checkSecret,
    generateSecret,
  };
}

function checkBodies(
  subscriber: BodyFields,
  catalogue: EventCatalogue,
  envelope: EnvelopeOption | undefined,
): readonly UncheckedPaths[] {
  const { changed, fields, template } = subscriber;
  const given = Object.entries({ changed, fields, template }).find(([, value]) => value !== null);
  if (given !== undefined && envelopeName(envelope) !== 'standard') {
    const reason = 'is for bodies with the standard envelope: this application has another one';
    throw new InvalidInputError(given[0], reason, { reason: 'not-offered' });
  }
  const warnings: UncheckedPaths[] = [];
  const check = (field: 'fields' | 'template', paths: readonly string[]) =>
    warnings.push(...checkDataPaths(catalogue, field, paths, subscriber));
  InvalidInputError.throwAll([
    () => changed && catalogue.checkChanged(changed, subscriber),
    () => fields && check('fields', fields),
    () => template && check('template', dataPathsOf(template)),
  ]);
  return warnings;
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
