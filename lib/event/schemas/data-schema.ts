import { schemaOfClass } from './class-schema.js';
import type { EventDeclaration } from '../define-events.js';
import { type JsonSchema, standalone } from './json-schema.js';

/** The schema of an event's data, or null when none was declared. The schema has no references to other documents. */
export function dataSchemaOf({ schema }: EventDeclaration): JsonSchema | null {
  if (schema === undefined) return null;
  return typeof schema === 'function' ? schemaOfClass(schema) : standalone(schema);
}
