import { MESSAGE_CURSOR, PLACE_CURSOR } from '../deliveries/delivery-bodies.js';
import { DRY_RUN } from '../http/json-body.pipe.js';
import { moment, type InputFields } from '../http/query.pipe.js';

/** The body of `POST prune` of the operator API. */
export const PRUNING: InputFields = {
  before: moment('Default: what the settings say'),
  dryRun: DRY_RUN,
  after: MESSAGE_CURSOR,
};

/** The body of `POST reseal` of the operator API. */
export const RESEALING: InputFields = { dryRun: DRY_RUN, after: PLACE_CURSOR };
