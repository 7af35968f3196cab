import { EVENT_TYPE_DETAILS, EVENT_TYPES } from '../catalogue/event-type.view.js';
import { BackfillDto, RecoverDto, SelectionDto } from '../deliveries/deliveries.dto.js';
import { SELECTED_RETRIES } from '../deliveries/delivery-problems.js';
import {
  ATTEMPT_HISTORY,
  FILTER_PREVIEW_RESULT,
  SENT_REQUEST,
} from '../deliveries/delivery-reports.view.js';
import { LAST_DAY } from '../subscribers/last-day.view.js';
import { endpointOverviewSchema, OVERVIEW_ITEM } from '../deliveries/endpoint-overview.view.js';
import { ENDPOINT_STATES, STATS } from '../deliveries/delivery-stats.view.js';
import { DELIVERY, DELIVERY_DETAILS } from '../deliveries/delivery.view.js';
import { HISTORY, SAMPLES } from '../history/history.view.js';
import { bodySchema } from '../http/validators.js';
import { PROBLEMS } from '../problems/problem-codes.js';
import { EmptyDto, RotateSecretDto, TestDto } from '../subscribers/subscriber-actions.dto.js';
import {
  NEW_SUBSCRIBER_FIELDS,
  PREVIEW_FIELDS,
  requestFields,
  SHOWN_SECRET,
  SUBSCRIBER,
  CHANGED_FIELDS,
  SUBSCRIPTION_FIELDS,
  WARNINGS,
} from '../subscribers/subscriber.view.js';
import { SUBSCRIBER_CHANGE } from '../subscribers/subscriber-change.view.js';
import { TEST_RESULT } from '../subscribers/test.view.js';
import {
  all,
  count,
  integer,
  list,
  nullable,
  oneOf,
  type Schema,
  some,
  text,
} from '../../common/json-schema.js';
import { page, schemaRef } from './document-schema.js';

const facts = {
  type: 'object',
  description: 'What the text names, such as a limit; may be absent',
};
const object = { type: 'object', additionalProperties: true };
const preview = requestFields(PREVIEW_FIELDS);

export const API_SCHEMAS: Readonly<Record<string, Schema>> = {
  NewSubscriber: some(requestFields(NEW_SUBSCRIBER_FIELDS), ['url']),
  SubscriberChanges: { ...some(requestFields(CHANGED_FIELDS)), minProperties: 1 },
  SubscriptionChanges: { ...some(requestFields(SUBSCRIPTION_FIELDS)), minProperties: 1 },
  Subscriber: all(SUBSCRIBER),
  SubscriberWithSecret: all({ ...SUBSCRIBER, secret: SHOWN_SECRET }),
  ChangedSubscriber: all({ ...SUBSCRIBER, warnings: WARNINGS }),
  CreatedSubscriber: all({ ...SUBSCRIBER, secret: SHOWN_SECRET, warnings: WARNINGS }),
  ListedSubscriber: all(SUBSCRIBER, { lastDay: LAST_DAY }),
  SubscriberPage: page('ListedSubscriber'),
  SubscriberChange: all(SUBSCRIBER_CHANGE),
  SubscriberChangePage: page('SubscriberChange'),
  Nothing: bodySchema(EmptyDto),
  Test: bodySchema(TestDto),
  TestResult: TEST_RESULT,
  Rotation: bodySchema(RotateSecretDto),
  Delivery: all(DELIVERY),
  DeliveryDetails: all(DELIVERY_DETAILS),
  DeliveryPage: page('Delivery'),
  Selection: bodySchema(SelectionDto),
  SelectedRetries: SELECTED_RETRIES,
  Recovery: bodySchema(RecoverDto),
  Backfill: bodySchema(BackfillDto),
  ReplayResult: all(
    {
      scheduled: { ...count, description: 'Deliveries that are due now' },
      expunged: { ...count, description: 'Not sent: the body of the message was dropped' },
      disabled: { ...count, description: 'Not sent: the subscriber is disabled or has expired' },
      underWay: { ...count, description: 'Not sent: an attempt is under way' },
      resent: { ...count, description: 'Not sent: it was resent within the last minute' },
      next: nullable(text),
    },
    { note: { ...text, description: 'Why a backfill may have found nothing; may be absent' } },
  ),
  Stats: STATS,
  EndpointStates: ENDPOINT_STATES,
  EndpointOverview: endpointOverviewSchema(schemaRef('OverviewItem')),
  OverviewItem: OVERVIEW_ITEM,
  SentRequest: SENT_REQUEST,
  AttemptHistory: ATTEMPT_HISTORY,
  FilterPreview: some({
    ...preview,
    events: { ...preview['events'], description: 'Default: all' },
  }),
  FilterPreviewResult: FILTER_PREVIEW_RESULT,
  EventTypes: EVENT_TYPES,
  EventType: EVENT_TYPE_DETAILS,
  History: HISTORY,
  Samples: SAMPLES,
  Document: object,
  JsonWebKeys: all({ keys: list(object) }),
  PlatformError: {
    ...all({ statusCode: integer, message: text }, { error: text, code: text }),
    description:
      'What Express or Fastify answers before a route is reached, through the exception filters of the application',
  },
  Problem: all(
    {
      type: {
        ...text,
        format: 'uri-reference',
        description: 'Where a text explains the code',
      },
      code: oneOf(Object.keys(PROBLEMS)),
      title: text,
      status: integer,
      detail: text,
    },
    {
      data: facts,
      errors: {
        ...list(all({ field: text, code: text, reason: text }, { data: facts })),
        description: 'The refused fields; may be absent',
      },
    },
  ),
};
