import { type WireFormat, withoutQuery } from '../../message/index.js';
import type { Subscriber, Verification } from '../../subscriber/index.js';
import { SubscriberView } from '../subscribers/subscriber.view.js';

/** A subscriber as operators see it: whose it is, and neither its secrets nor the query of its URL. */
export class OperatorSubscriberView extends SubscriberView {
  /** Null: the application's own. */
  readonly owner: string | null;
  readonly verification: Verification;
  /** When each secret expires, newest first; null for never. */
  readonly secrets: readonly (string | null)[];

  constructor(subscriber: Subscriber, collection: string, format: WireFormat) {
    const url = withoutQuery(subscriber.url);
    super({ ...subscriber, url }, `${collection}/${subscriber.id}`, format);
    this.owner = subscriber.owner;
    this.verification = subscriber.verification;
    this.secrets = subscriber.secrets.map(({ expiresAt }) =>
      expiresAt === null ? null : new Date(expiresAt).toISOString(),
    );
  }
}
