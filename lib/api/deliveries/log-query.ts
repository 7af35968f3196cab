import { InvalidInputError } from '../../errors/index.js';
import {
  ANSWER_CLASSES,
  isSearchedValue,
  MAX_VALUE_LENGTH,
  VALUE_RULE,
} from '../../outbox/index.js';
import { checkPattern, MAX_PATTERN_LENGTH } from '../../subscriber/index.js';
import { choice, idOf, moment, pageOf, type QueryParameters, wholeNumber } from '../http/query.js';
import { text } from '../../common/json-schema.js';

// Any other text would be compared with the ids, and give the first page again or no page at all.
const DELIVERY_ID = /^dlv_[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const HOST = /^[\x21-\x7e]{1,320}$/;

const SUBSCRIBER = { subscriber: idOf('subscriber', 'Id of a subscriber; default: any') };
const RANGE = { since: moment('From then on'), until: moment('Before then') };

export const OWN_LOG_QUERY = {
  ...pageOf((given) => typeof given === 'string' && DELIVERY_ID.test(given)),
  delivery: idOf('delivery'),
  message: idOf('message'),
  event: {
    schema: {
      ...text,
      minLength: 1,
      maxLength: MAX_PATTERN_LENGTH,
      description: 'The name of an event, or a pattern such as order.*',
    },
    read: (given: unknown) => (isPattern(given) ? given : null),
    reason: 'must be the name of an event, or a pattern such as order.*',
    code: 'malformed-pattern',
  },
  status: choice(['pending', 'succeeded', 'failed'], 'must be pending, succeeded or failed'),
  statusClass: choice(ANSWER_CLASSES, `must be one of ${ANSWER_CLASSES.join(', ')}`, {
    description:
      'The answer to the latest attempt; error: none for another reason than a timeout; none: no attempt, or one that the log has not kept',
  }),
  value: {
    schema: {
      ...text,
      minLength: 1,
      maxLength: MAX_VALUE_LENGTH,
      description:
        'A text that the message has: its order key, its ref, or a value of its body, which may be a number; operators need `operatorApi.bodies`',
    },
    read: (given: unknown) => (isSearchedValue(given) ? given : null),
    reason: VALUE_RULE,
  },
  host: {
    schema: {
      ...text,
      minLength: 1,
      maxLength: 320,
      description: 'Host of the URL, with its port unless it is 443 or 80',
    },
    read: (given: unknown) => (typeof given === 'string' && HOST.test(given) ? given : null),
    reason: 'must be a host as in URLs, with its port unless it is 443 or 80',
  },
  ...RANGE,
  attemptedSince: moment('With an attempt that began then or later'),
  attemptedUntil: moment('With an attempt that began before then'),
} satisfies QueryParameters;

export const LOG_QUERY = { ...OWN_LOG_QUERY, ...SUBSCRIBER } satisfies QueryParameters;

export const FIGURES_QUERY = {
  ...SUBSCRIBER,
  by: choice(['hour', 'day'], 'must be hour or day', { default: 'hour' }),
  ...RANGE,
} satisfies QueryParameters;

export const STATS_QUERY = { days: wholeNumber(90, 30) } satisfies QueryParameters;

function isPattern(given: unknown): boolean {
  try {
    checkPattern(given);
    return true;
  } catch (error) {
    if (error instanceof InvalidInputError) return false;
    throw error;
  }
}
