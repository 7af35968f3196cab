import { MAX_SELECTED } from '../../outbox/index.js';
import { DRY_RUN, MESSAGE_CURSOR, PLACE_CURSOR } from '../http/body.pipe.js';
import { moment, type QueryParameters } from '../http/query.pipe.js';
import { list, text } from '../schema/schema.js';

const BULK = {
  since: { ...moment('From then on'), isRequired: true },
  until: moment('Before then; default now'),
  dryRun: DRY_RUN,
} satisfies QueryParameters;

export const RECOVER = { ...BULK, after: PLACE_CURSOR } satisfies QueryParameters;
export const BACKFILL = { ...BULK, after: MESSAGE_CURSOR } satisfies QueryParameters;

/** Deliveries to be tried again: their service looks at the ids. */
export const SELECTION = {
  ids: {
    schema: {
      ...list({ ...text, maxLength: 64 }),
      minItems: 1,
      maxItems: MAX_SELECTED,
      uniqueItems: true,
      description: 'Ids of deliveries',
    },
    isRequired: true,
  },
} satisfies QueryParameters;
