import { ANSWER_CLASSES } from '../../outbox/index.js';
import { all, type Schema } from './schema-parts.js';

type Nullable = (schema: Schema) => Schema;

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const missing = {
  type: 'array',
  description: 'The parts that are not shown, and why',
  items: all({ field: text, code: text, reason: text }),
};

/** The request of a delivery. */
export function sentRequest(nullable: Nullable): Schema {
  return all({
    deliveryId: text,
    messageId: text,
    event: text,
    method: { ...text, enum: ['POST'] },
    url: nullable(text),
    contentType: nullable(text),
    body: nullable(text),
    bodyEncoding: { ...text, enum: ['utf8', 'base64'] },
    missing,
  });
}

/** Figures of attempts by hour or day. @param time the schema of a time, which owners get as text and operators as a number */
export function attemptHistory(nullable: Nullable, time: Schema): Schema {
  const kinds = ANSWER_CLASSES.filter((kind) => kind !== 'none');
  const figures = {
    attempts: count,
    succeeded: count,
    failed: count,
    answers: all(Object.fromEntries(kinds.map((kind) => [kind, count]))),
    p50: nullable(count),
    p95: nullable(count),
  };
  return all({
    by: { ...text, enum: ['hour', 'day'] },
    since: time,
    until: time,
    countedSince: { ...time, description: 'Deliveries from then on were counted' },
    total: all(figures),
    items: {
      type: 'array',
      items: all({ at: time, isComplete: { type: 'boolean' }, ...figures }),
    },
  });
}
