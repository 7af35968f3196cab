/** A schema of OpenAPI. */
export type Schema = Readonly<Record<string, unknown>>;

const PREFIX = 'Thorn';
const text = { type: 'string' };

/** The name that a schema has among the document's components. */
export function schemaName(name: string): string {
  return PREFIX + name;
}

/** Points to a schema among the document's components. */
export function schemaRef(name: string): Schema {
  return { $ref: `#/components/schemas/${schemaName(name)}` };
}

/** The headers of an answer. */
export function answerHeaders(nullable: (schema: Schema) => Schema): Schema {
  return nullable({ type: 'object', additionalProperties: text });
}

/** One page of a list. */
export function page(item: string, nullable: (schema: Schema) => Schema): Schema {
  return all({ items: { type: 'array', items: schemaRef(item) }, next: nullable(text) });
}

/** The schema of a request: every field may be left out, except the named ones. */
export function some(properties: Schema, required: readonly string[] = []): Schema {
  return {
    type: 'object',
    properties,
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
  };
}

/** The schema of an answer with further fields that may be absent. */
export function withOptional(schema: Schema, properties: Schema): Schema {
  return { ...schema, properties: { ...(schema['properties'] as Schema), ...properties } };
}

/** The schema of an answer: every field is there. */
export function all(properties: Schema): Schema {
  return { type: 'object', properties, required: Object.keys(properties) };
}
