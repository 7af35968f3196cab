import { MAX_SEARCH_LENGTH, SUBSCRIBER_STATES } from '../../subscriber/index.js';
import { choice, pageOf, type QueryParameters } from '../http/query.js';
import { text } from '../../common/json-schema.js';

/** Asks for the attempts of 24 hours beside each subscriber. */
export const LAST_DAY_QUERY = {
  figures: choice(['lastDay'], 'must be lastDay', {
    description: 'Adds the attempts of 24 hours as `lastDay`',
  }),
} satisfies QueryParameters;

export interface LastDayQuery {
  readonly figures?: 'lastDay' | undefined;
}

/** The query of a list of subscribers. The service checks the search text. */
export const SUBSCRIBERS_QUERY = {
  ...pageOf(),
  search: {
    schema: {
      ...text,
      minLength: 1,
      maxLength: MAX_SEARCH_LENGTH,
      description:
        'A text that the URL or the description holds; a page may then have fewer items than `limit`, or none, and a `next`',
    },
    read: (given: unknown) => given,
    reason: '',
  },
  state: choice(SUBSCRIBER_STATES, `must be one of ${SUBSCRIBER_STATES.join(', ')}`, {
    description: 'Those in this state; a page may then have fewer items than `limit` as well',
  }),
  ...LAST_DAY_QUERY,
} satisfies QueryParameters;
