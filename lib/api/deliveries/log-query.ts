import { InvalidInputError } from '../../errors/index.js';
import { isSubject, MAX_SUBJECT_LENGTH, SUBJECT_RULE } from '../../message/index.js';
import { checkPattern, MAX_PATTERN_LENGTH } from '../../subscriber/index.js';
import { choice, idOf, moment, pageOf, type QueryParameters, wholeNumber } from '../http/query.js';
import { text } from '../../common/json-schema.js';

// Any other text would be compared with the ids, and give the first page again or no page at all.
/** The ids of deliveries, which no application gives. */
export const DELIVERY_ID = /^dlv_[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

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
  subject: {
    schema: {
      ...text,
      minLength: 1,
      maxLength: MAX_SUBJECT_LENGTH,
      description:
        'What the message is about, the whole text: the id of its data, its order key, its ref, or what the event names; operators need `operatorApi.bodies`',
    },
    read: (given: unknown) => (isSubject(given) ? given : null),
    reason: SUBJECT_RULE,
  },
  ...RANGE,
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
