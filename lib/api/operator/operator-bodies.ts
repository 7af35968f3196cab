import { DRY_RUN, MESSAGE_CURSOR, PLACE_CURSOR, textField } from '../http/body.pipe.js';
import { moment, type QueryParameters } from '../http/query.pipe.js';
import { text } from '../schema/schema.js';

export const HOST = {
  ...text,
  description: 'As in URLs, with its port unless it is 443 or 80; * for all',
  maxLength: 320,
};

export const PAUSE = {
  host: { ...textField(HOST, 'must be a host as URLs have it, or "*"'), isRequired: true },
} satisfies QueryParameters;

export const PRUNE = {
  before: moment('Default: what the settings say'),
  dryRun: DRY_RUN,
  after: MESSAGE_CURSOR,
} satisfies QueryParameters;

export const RESEAL = { dryRun: DRY_RUN, after: PLACE_CURSOR } satisfies QueryParameters;
