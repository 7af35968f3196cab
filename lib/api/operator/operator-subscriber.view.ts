import { withoutQuery } from '../../message/index.js';
import type { Subscriber } from '../../subscriber/index.js';
import { all, list, nullable, oneOf, text, time, type ValueOf } from '../schema/schema.js';
import { type ShownWith, SUBSCRIBER, subscriberView } from '../subscribers/subscriber.view.js';

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

/** A subscriber as operators see it: whose it is, and neither its secrets nor the query of its URL. */
export const OPERATOR_SUBSCRIBER = { ...SUBSCRIBER, ...OWN };
export type OperatorSubscriberView = ReturnType<typeof subscriberView> & ValueOf<typeof VIEW>;

export function operatorSubscriberView(
  subscriber: Subscriber,
  collection: string,
  shownWith: ShownWith,
): OperatorSubscriberView {
  return {
    ...subscriberView(subscriber, `${collection}/${subscriber.id}`, shownWith),
    url: withoutQuery(subscriber.url),
    owner: subscriber.owner,
    verification: subscriber.verification,
    secrets: subscriber.secrets.map(({ expiresAt }) =>
      expiresAt === null ? null : new Date(expiresAt).toISOString(),
    ),
  };
}
