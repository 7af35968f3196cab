import { withoutQuery } from '../../message/index.js';
import { all, list, nullable, oneOf, text, time, type ValueOf } from '../../common/json-schema.js';
import { SUBSCRIBER, type SubscriberView } from '../subscribers/subscriber.view.js';
import type { ShownSubscriber } from '../subscribers/subscriber-views.js';

const OWN = {
  url: { ...text, description: 'Without its query' },
  owner: nullable(text),
  verification: oneOf(['none', 'pending', 'verified']),
  secrets: {
    ...list(nullable(time)),
    description: 'When each expires, newest first; null for never',
  },
};
const VIEW = all(OWN);

/** A subscriber as operators see it: with its owner, and without its secrets and the query of its URL. */
export const OPERATOR_SUBSCRIBER = { ...SUBSCRIBER, ...OWN };
export type OperatorSubscriberView = SubscriberView & ValueOf<typeof VIEW>;

export function operatorSubscriberView({
  subscriber,
  view,
}: ShownSubscriber): OperatorSubscriberView {
  return {
    ...view,
    url: withoutQuery(subscriber.url),
    owner: subscriber.owner,
    verification: subscriber.verification,
    secrets: subscriber.secrets.map(({ expiresAt }) =>
      expiresAt === null ? null : new Date(expiresAt).toISOString(),
    ),
  };
}
