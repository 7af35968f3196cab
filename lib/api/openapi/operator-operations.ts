import { FIGURES_QUERY, LOG_QUERY } from '../deliveries/log-query.js';
import { OWNER_QUERY } from '../operator/owner-query.js';
import { CHANGES_QUERY } from '../subscribers/subscriber-change.view.js';
import { LAST_DAY_QUERY, SUBSCRIBERS_QUERY } from '../subscribers/subscriber-query.js';
import type { ApiOperation } from './operations.js';

const LOG = { refusals: [501] } as const;
const STEPS =
  'A request does a second of the work; next says where the following one goes on, null that all is done.';
const ACTION = { body: 'Nothing', isRepeatable: false } as const;

export const OPERATOR_OPERATIONS: Readonly<Record<string, ApiOperation>> = {
  'Operator.overview': {
    summary: 'Tells how much there is to do, and what is paused',
    answer: [200, 'Overview'],
    ...LOG,
  },
  'Operator.pause': {
    summary: 'Lets nothing be sent to a host, or to any with "*"',
    description:
      'Every process follows the pause within five seconds. Waiting does not count as an attempt.',
    body: 'NewPause',
    answer: [204],
    isRepeatable: false,
    ...LOG,
  },
  'Operator.resume': {
    summary: 'Ends a pause',
    description: 'What has waited goes within half a minute.',
    answer: [204],
    ...LOG,
  },
  'Operator.list': {
    summary: "Lists subscribers, everybody's or one owner's",
    query: { ...SUBSCRIBERS_QUERY, ...OWNER_QUERY },
    answer: [200, 'OperatorSubscriberPage'],
    refusals: [400],
  },
  'Operator.read': {
    summary: "Shows anybody's subscriber",
    query: LAST_DAY_QUERY,
    answer: [200, 'ListedOperatorSubscriber'],
    tag: 'answered',
    refusals: [400],
  },
  'Operator.changes': {
    summary: "Lists what has happened to anybody's subscriber, and who did it, the newest first",
    query: CHANGES_QUERY,
    answer: [200, 'SubscriberChangePage'],
    refusals: [400],
  },
  'Operator.enable': {
    summary: "Lets anybody's subscriber receive again",
    answer: [200, 'OperatorSubscriber'],
    tag: 'checked',
    ...ACTION,
  },
  'Operator.disable': {
    summary: "Lets anybody's subscriber receive nothing for the time being",
    answer: [200, 'OperatorSubscriber'],
    tag: 'checked',
    ...ACTION,
  },
  'Operator.log': {
    summary: "Lists deliveries, everybody's or one subscriber's, the newest first",
    query: { ...LOG_QUERY, ...OWNER_QUERY },
    answer: [200, 'OperatorDeliveryPage'],
    refusals: [400, 501],
  },
  'Operator.delivery': {
    summary: 'Shows a delivery with everything that the log has of it',
    description: 'Addresses and texts of errors too. Times are milliseconds.',
    answer: [200, 'OperatorDeliveryDetails'],
    ...LOG,
  },
  'OperatorReports.report': {
    summary: 'Tells how the application is set up, and what of it will hurt in production',
    answer: [200, 'SetupReport'],
  },
  'OperatorReports.request': {
    summary: 'Shows the request of a delivery as it was sent, if the settings let operators see it',
    description:
      '403 unless `operatorApi: { bodies: true }` lets operators see the data of customers.',
    answer: [200, 'OperatorSentRequest'],
    ...LOG,
  },
  'OperatorReports.figures': {
    summary: "Counts attempts by hour or day, everybody's or one owner's",
    query: { ...OWNER_QUERY, ...FIGURES_QUERY },
    answer: [200, 'OperatorAttemptHistory'],
    refusals: [400, 404, 501],
  },
  'Operator.retry': {
    summary: 'Tries a delivery again: now, or once its turn has come',
    answer: [202, 'DeliveryState'],
    ...ACTION,
    refusals: [409, 501],
  },
  'Operator.retrySelected': {
    summary: "Tries a selection of anybody's deliveries again",
    body: 'Selection',
    answer: [200, 'SelectedRetries'],
    isRepeatable: false,
    ...LOG,
  },
  'Operator.cancel': {
    summary: 'Calls a delivery off, or ends the hold of a failed one',
    answer: [200, 'DeliveryState'],
    ...ACTION,
    refusals: [409, 501],
  },
  'Maintenance.prune': {
    summary: 'Drops what is old enough of messages; in steps',
    description: STEPS,
    body: 'Prune',
    answer: [200, 'PruneResult'],
    isRepeatable: false,
    ...LOG,
  },
  'Maintenance.reseal': {
    summary: 'Seals all secrets with the first key; in steps',
    description: `${STEPS} 409 without a key.`,
    body: 'Reseal',
    answer: [200, 'ResealResult'],
    isRepeatable: false,
    refusals: [409],
  },
  'Maintenance.recover': {
    summary: "Tries again what failed of anybody's subscriber in a time; in steps",
    description: STEPS,
    body: 'Recovery',
    answer: [200, 'ReplayResult'],
    isRepeatable: false,
    ...LOG,
  },
  'Maintenance.backfill': {
    summary: "Sends anybody's subscriber what it has missed in a time; in steps",
    description: STEPS,
    body: 'Backfill',
    answer: [200, 'ReplayResult'],
    isRepeatable: false,
    ...LOG,
  },
};
