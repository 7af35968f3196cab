import { textField } from '../http/json-body.pipe.js';
import type { InputFields } from '../http/query.pipe.js';
import { text } from '../schema/schema.js';

/** A host that can be paused. */
export const HOST = {
  ...text,
  description: 'As in URLs, with its port unless it is 443 or 80; * for all',
  maxLength: 320,
};

/** The body of `POST pauses` of the operator API. */
export const PAUSE: InputFields = {
  host: { ...textField(HOST, 'must be a host as URLs have it, or "*"'), isRequired: true },
};
