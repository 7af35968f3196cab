import { MAX_OVERLAP, MAX_PATTERN_LENGTH, SECRET_FIELD } from '../../subscriber/index.js';
import { Field, isLookedAtLater, isText } from '../http/validators.js';
import { type Schema, text } from '../../common/json-schema.js';

/** A request whose path says everything, so that its body must be empty. */
export class EmptyDto {}

export class TestDto {
  @Field(
    {
      ...text,
      maxLength: MAX_PATTERN_LENGTH,
      description: 'Name of an event type; default thorn.ping',
    },
    isText('must be the name of an event'),
  )
  event?: string;

  @Field(
    { description: 'Any JSON of up to 32 levels; default the example of the event' },
    isLookedAtLater,
  )
  data?: unknown;
}

const OVERLAP: Schema = {
  oneOf: [
    { ...text, pattern: '^\\d{1,12}(ms|s|m|h|d)$', example: '24h' },
    { type: 'integer', minimum: 0, maximum: MAX_OVERLAP },
  ],
  description:
    'For how long the secrets before go on signing: a text, or milliseconds, up to 90 days; default 24h',
};

export class RotateSecretDto {
  @Field(OVERLAP, isLookedAtLater)
  overlap?: number | string;

  @Field(SECRET_FIELD.schema, isText('must be a text'))
  secret?: string;
}
