import { FIGURES_QUERY, LOG_QUERY, OWN_LOG_QUERY, STATS_QUERY } from '../deliveries/log-query.js';
import { HISTORY_QUERY, SAMPLES_QUERY } from '../history/history.view.js';
import type { QueryParameters } from '../http/query.js';
import { CHANGES_QUERY } from '../subscribers/subscriber-change.view.js';
import { LAST_DAY_QUERY, SUBSCRIBERS_QUERY } from '../subscribers/subscriber-query.js';

export interface ApiOperation {
  readonly summary: string;
  readonly description?: string;
  readonly body?: string;
  readonly query?: QueryParameters;
  /** The status of success, and the name of the answer's schema. */
  readonly answer: readonly [status: number, schema?: string];
  readonly orElse?: readonly [status: number, schema: string];
  /** The use of ETags: the answer has one, `If-Match` is checked, or both. */
  readonly tag?: 'answered' | 'checked' | 'compared';
  readonly hasLink?: true;
  /** Statuses of refusals that other routes of its kind do not have. */
  readonly refusals?: readonly number[];
  /** False: the route needs no login. */
  readonly isGuarded?: false;
  /**
   * True: the caller is a receiver, which proves itself with the id of its subscription and its secret. `or-owner`: a receiver, or
   * an owner as on other routes.
   */
  readonly isReceivers?: true | 'or-owner';
  /** False: the route takes no `Idempotency-Key`. */
  readonly isRepeatable?: false;
}

export const OWNER_OPERATIONS: Readonly<Record<string, ApiOperation>> = {
  'Subscribers.list': {
    summary: 'Lists your subscribers, the oldest first',
    query: SUBSCRIBERS_QUERY,
    answer: [200, 'SubscriberPage'],
    refusals: [400],
  },
  'Subscribers.create': {
    summary: 'Subscribes',
    description:
      'The answer shows the secret, this once. Location has the URL of the subscriber. The body needs url, and events or event. With a key that you used already, that subscriber is changed: what is left out gets its default, except secret and enabled, and the answer is 200 without the secret.',
    body: 'NewSubscriber',
    answer: [201, 'CreatedSubscriber'],
    orElse: [200, 'ChangedSubscriber'],
    tag: 'answered',
    refusals: [409],
  },
  'Subscribers.read': {
    summary: 'Shows a subscriber',
    query: LAST_DAY_QUERY,
    answer: [200, 'ListedSubscriber'],
    tag: 'answered',
    refusals: [400],
  },
  'Subscribers.update': {
    summary: 'Changes a subscriber; what is left out stays',
    body: 'SubscriberChanges',
    answer: [200, 'ChangedSubscriber'],
    tag: 'checked',
    refusals: [409],
  },
  'Subscribers.delete': {
    summary: 'Removes a subscriber',
    answer: [204],
    tag: 'compared',
    refusals: [400],
  },
  'Subscribers.changes': {
    summary: 'Lists what has happened to a subscriber, and who did it, the newest first',
    description:
      'Kept as long as the delivery log, also after the removal. Names of fields, without their values.',
    query: CHANGES_QUERY,
    answer: [200, 'SubscriberChangePage'],
    refusals: [400],
  },
  'Actions.test': {
    summary: 'Sends an event to the endpoint at once, and answers what came of it',
    description: 'The attempt is not part of the log, and is not tried again.',
    body: 'Test',
    answer: [200, 'TestResult'],
    refusals: [409, 429],
  },
  'Actions.challenge': {
    summary: 'Asks the endpoint again whether it wants webhooks',
    body: 'Nothing',
    answer: [200, 'Subscriber'],
    tag: 'answered',
    refusals: [429],
  },
  'Actions.rotateSecret': {
    summary: 'Replaces the secret; those before go on signing for the overlap',
    body: 'Rotation',
    answer: [200, 'SubscriberWithSecret'],
    tag: 'checked',
  },
  'Actions.endRotation': {
    summary: 'Ends the secrets from before the latest rotation, so that the newest one signs alone',
    body: 'Nothing',
    answer: [200, 'Subscriber'],
    tag: 'checked',
  },
  'Actions.enable': {
    summary: 'Lets a subscriber receive again',
    body: 'Nothing',
    answer: [200, 'Subscriber'],
    tag: 'checked',
  },
  'Actions.disable': {
    summary: 'Lets a subscriber receive nothing for the time being',
    body: 'Nothing',
    answer: [200, 'Subscriber'],
    tag: 'checked',
  },
  'Deliveries.list': {
    summary: "Lists a subscriber's deliveries, the newest first",
    query: OWN_LOG_QUERY,
    answer: [200, 'DeliveryPage'],
    refusals: [400, 501],
  },
  'Deliveries.listAll': {
    summary: 'Lists the deliveries of all your subscribers, the newest first',
    query: LOG_QUERY,
    answer: [200, 'DeliveryPage'],
    refusals: [400, 404, 501],
  },
  'Deliveries.stats': {
    summary: "Tells how a subscriber's deliveries went, by day, and whether the endpoint fails",
    description: 'Days are those of UTC.',
    query: STATS_QUERY,
    answer: [200, 'Stats'],
    refusals: [400, 501],
  },
  'Deliveries.read': {
    summary: 'Shows a delivery with its attempts',
    answer: [200, 'DeliveryDetails'],
    refusals: [501],
  },
  'DeliveryReports.request': {
    summary: 'Shows the request of a delivery as it was sent: body and URL',
    answer: [200, 'SentRequest'],
    refusals: [501],
  },
  'DeliveryReports.figures': {
    summary: 'Counts the attempts of all your subscribers, by hour or day',
    query: FIGURES_QUERY,
    answer: [200, 'AttemptHistory'],
    refusals: [400, 404, 501],
  },
  'DeliveryReports.health': {
    summary: 'Shows which of your endpoints fail, and counts them and the disabled ones',
    answer: [200, 'EndpointStates'],
    refusals: [501],
  },
  'DeliveryReports.overview': {
    summary:
      'Shows up to 10 of your endpoints that need a look first, and counts the attempts of 24 hours',
    answer: [200, 'EndpointOverview'],
  },
  'DeliveryReports.preview': {
    summary: 'Shows which of the latest messages a filter lets through',
    body: 'FilterPreview',
    answer: [200, 'FilterPreviewResult'],
    refusals: [501],
  },
  'Deliveries.retry': {
    summary: 'Tries a delivery again',
    description:
      'Now, or once its turn has come when it is ordered. 409 while an attempt is under way, when it was resent within the last minute, and when nothing is left to send.',
    body: 'Nothing',
    answer: [202, 'Delivery'],
    refusals: [409, 501],
  },
  'Deliveries.retrySelected': {
    summary: 'Tries a selection of deliveries again',
    description:
      'Each as by its own route. One that cannot be tried again does not keep the others from it: its code says why.',
    body: 'Selection',
    answer: [200, 'SelectedRetries'],
    refusals: [501],
  },
  'Deliveries.cancel': {
    summary: 'Calls a waiting delivery off, or ends the hold of a failed one',
    description: '409 while an attempt is under way, and when the delivery has ended.',
    body: 'Nothing',
    answer: [200, 'Delivery'],
    refusals: [409, 501],
  },
  'Deliveries.recover': {
    summary: 'Tries again what failed in a time',
    description: 'Waiting retries go now as well.',
    body: 'Recovery',
    answer: [200, 'ReplayResult'],
    refusals: [501],
  },
  'Deliveries.backfill': {
    summary: 'Sends what was missed in a time',
    description:
      'Messages that were sent while the subscriber was disabled, or before there was one.',
    body: 'Backfill',
    answer: [200, 'ReplayResult'],
    refusals: [501],
  },
  'Subscription.read': {
    summary: 'Shows a receiver its own subscription',
    isReceivers: true,
    answer: [200, 'Subscriber'],
    tag: 'answered',
  },
  'Subscription.update': {
    summary: 'Changes what a receiver gets',
    isReceivers: true,
    body: 'SubscriptionChanges',
    answer: [200, 'ChangedSubscriber'],
    tag: 'checked',
    refusals: [404],
  },
  'Subscription.delete': {
    summary: 'Unsubscribes a receiver',
    isReceivers: true,
    answer: [204],
    tag: 'compared',
    refusals: [400, 404],
  },
  'Unsubscribe.unsubscribe': {
    summary: 'Unsubscribes the receiver of a webhook, by the link in its Hook-Unsubscribe',
    description: 'Takes an empty POST by anybody.',
    answer: [204],
    refusals: [400, 413, 415],
    isGuarded: false,
    isRepeatable: false,
  },
  'EventTypes.list': {
    summary: 'Lists the events that can be subscribed to',
    answer: [200, 'EventTypes'],
  },
  'EventTypes.read': { summary: 'Describes an event', answer: [200, 'EventType'] },
  'EventTypes.openApi': {
    summary: 'Describes the requests of all events as an OpenAPI document',
    answer: [200, 'Document'],
  },
  'EventTypes.asyncApi': {
    summary: 'Describes the requests of all events as an AsyncAPI document',
    answer: [200, 'Document'],
  },
  'History.list': {
    summary: 'Lists what was sent, in the order in which it was committed',
    description:
      'What subscribers of yours would get, whether there are any or not. Follow next: no message is ever committed before a page that was answered. Link has its URL.',
    query: HISTORY_QUERY,
    answer: [200, 'History'],
    hasLink: true,
    refusals: [400, 410, 501],
  },
  'History.samples': {
    summary: 'Shows bodies of webhooks, made of the examples of events',
    query: SAMPLES_QUERY,
    answer: [200, 'Samples'],
    refusals: [400],
  },
  'Messages.read': {
    summary: 'Shows the body of a message, as subscribers without thin get it',
    description:
      'For a receiver, with the id of its subscription and one of its secrets, also of a subscriber that the application declares: of the messages that it gets. For an owner: of those that its subscribers may get. 409 when the body was dropped.',
    isReceivers: 'or-owner',
    answer: [200, 'Document'],
    refusals: [409, 501],
  },
  'Jwks.jwks': {
    summary: 'Shows the public keys that signatures are verified with',
    answer: [200, 'JsonWebKeys'],
    isGuarded: false,
  },
};
