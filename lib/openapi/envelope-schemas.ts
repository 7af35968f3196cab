import { compileEventName, type JsonSchema } from '../event/index.js';
import type { EnvelopeName } from '../message/index.js';

interface EventData {
  readonly name: string;
  readonly data: JsonSchema;
  /** True: the envelope says which fields have changed. */
  readonly knowsChanges: boolean;
}

interface DescribedEnvelope {
  readonly schema: JsonSchema;
  exampleWith(data: unknown): unknown;
}

const TIMESTAMP = {
  type: 'string',
  format: 'date-time',
  description: 'When the event happened: ISO 8601 with milliseconds, UTC.',
};

/** The schemas of the library's envelopes, each around the schema of an event's data. */
export const ENVELOPES: Readonly<
  Record<Exclude<EnvelopeName, 'custom'>, (event: EventData) => DescribedEnvelope>
> = {
  standard: ({ name, data, knowsChanges }) => ({
    schema: {
      type: 'object',
      properties: {
        type: nameSchema(name),
        timestamp: TIMESTAMP,
        ref: refSchema('Present where the event declares one.'),
        owner: ownerSchema('Present where the event declares one.'),
        ...(knowsChanges && { trigger: TRIGGER }),
        data,
      },
      required: ['type', 'timestamp', 'data'],
    },
    exampleWith: (example) => ({
      type: exampleName(name),
      timestamp: '2026-01-02T03:04:05.678Z',
      data: example,
    }),
  }),
  thorn: ({ name, data }) => ({
    schema: {
      type: 'object',
      properties: { event: nameSchema(name), ref: refSchema(), sender: ownerSchema(), data },
      required: ['event', 'ref', 'sender', 'data'],
    },
    exampleWith: (example) => ({
      event: exampleName(name),
      ref: null,
      sender: null,
      data: example,
    }),
  }),
};

const TRIGGER = {
  type: 'object',
  description: 'What has made the event happen. Present where it is known.',
  properties: {
    changed: {
      type: 'array',
      items: { type: 'string' },
      description: 'The names of the fields that have changed, without their values.',
    },
  },
  required: ['changed'],
};

const ORDER = {
  key: {
    type: 'string',
    description: 'What messages are ordered by. Present where the event has a key.',
  },
  sequence: {
    type: 'integer',
    minimum: 1,
    description: 'The number of the message among those of its key. Present together with it.',
  },
};

/** Adds the field that the option `orderInBody` puts at the end of an envelope. */
export function withOrder(envelope: JsonSchema): JsonSchema {
  return { ...envelope, properties: { ...(envelope['properties'] as object), ...ORDER } };
}

function refSchema(...more: readonly string[]): JsonSchema {
  const description = ['The URL of the thing, or null.', ...more].join(' ');
  return { type: ['string', 'null'], format: 'uri-reference', description };
}

function ownerSchema(...more: readonly string[]): JsonSchema {
  const description = ['The owner whose subscribers get the event, or null.', ...more].join(' ');
  return { type: ['string', 'null'], description };
}

function nameSchema(name: string): JsonSchema {
  const { segments } = compileEventName(name);
  if (!segments.includes(null)) return { type: 'string', const: name };
  const pattern = segments.map((segment) => segment ?? '[A-Za-z0-9_-]+').join('\\.');
  return { type: 'string', pattern: `^${pattern}$` };
}

function exampleName(name: string): string {
  const { segments } = compileEventName(name);
  return segments.map((segment) => segment ?? 'example').join('.');
}
