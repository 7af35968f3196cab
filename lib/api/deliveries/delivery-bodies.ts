import { MAX_SELECTED } from '../../outbox/index.js';
import { cursorField, DRY_RUN } from '../http/json-body.pipe.js';
import { moment, type InputFields } from '../http/query.pipe.js';
import { list, text } from '../schema/schema.js';

/** A data source, and an id in it. */
export const PLACE_CURSOR = cursorField(/^\d{1,3}\/[\x21-\x7e]{0,64}$/, 68);
/** A data source, and time and id of a message in it. */
export const MESSAGE_CURSOR = cursorField(/^\d{1,3}\/(?:\d{1,15}:[\x21-\x7e]{1,64})?$/, 84);

const RANGE = {
  since: { ...moment('From then on'), isRequired: true },
  until: moment('Before then; default now'),
  dryRun: DRY_RUN,
} satisfies InputFields;

/** The body of `POST /:id/recover`. */
export const RECOVERY: InputFields = { ...RANGE, after: PLACE_CURSOR };

/** The body of `POST /:id/backfill`. */
export const BACKFILL: InputFields = { ...RANGE, after: MESSAGE_CURSOR };

/** A body of {@link RECOVERY} or {@link BACKFILL}. */
export interface BulkBody {
  readonly since: Date;
  readonly until?: Date;
  readonly dryRun: boolean;
  readonly after?: string;
}

/** The body of `POST /deliveries/retry`. */
export const SELECTION: InputFields = {
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
};

/** A body of {@link SELECTION}. */
export interface SelectionBody {
  readonly ids: readonly string[];
}
