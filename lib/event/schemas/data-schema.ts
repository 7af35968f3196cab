import { schemaOfClass } from './class-schema.js';
import type { EventDeclaration } from '../define-events.js';
import { type JsonSchema, standalone } from './json-schema.js';

/** What an event's data looks like, or null when nobody said it. It stands for itself: nothing in it refers elsewhere. */
export function dataSchemaOf({ schema }: EventDeclaration): JsonSchema | null {
  if (schema === undefined) return null;
  return typeof schema === 'function' ? schemaOfClass(schema) : standalone(schema);
}
