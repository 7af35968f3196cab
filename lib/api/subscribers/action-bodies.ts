import { MAX_OVERLAP, MAX_PATTERN_LENGTH } from '../../subscriber/index.js';
import { textField } from '../http/body.pipe.js';
import type { QueryParameters } from '../http/query.pipe.js';
import { text } from '../schema/schema.js';
import { SECRET } from './subscriber.view.js';

export const TEST = {
  event: textField(
    {
      ...text,
      maxLength: MAX_PATTERN_LENGTH,
      description: 'Name of an event type; default thorn.ping',
    },
    'must be the name of an event',
  ),
  data: {
    schema: { description: 'Any JSON of up to 32 levels; default the example of the event' },
  },
} satisfies QueryParameters;

/** A new secret: the service of subscribers looks at the overlap. */
export const ROTATION = {
  overlap: {
    schema: {
      oneOf: [
        { ...text, pattern: '^\\d{1,12}(ms|s|m|h|d)$', example: '24h' },
        { type: 'integer', minimum: 0, maximum: MAX_OVERLAP },
      ],
      description:
        'For how long the secrets before go on signing: a text, or milliseconds, up to 90 days; default 24h',
    },
  },
  secret: textField(SECRET, 'must be a text'),
} satisfies QueryParameters;
