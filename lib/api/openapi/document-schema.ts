import { all, type Fields, list, nullable, type Schema, text } from '../../common/json-schema.js';

const PREFIX = 'Thorn';

export function page(item: string): Schema {
  return all({ items: list(schemaRef(item)), next: nullable(text) });
}

export function schemaName(name: string): string {
  return PREFIX + name;
}

export function schemaRef(name: string): Schema {
  return { $ref: `#/components/schemas/${schemaName(name)}` };
}

export function withoutFields(schema: Schema, names: readonly string[]): Schema {
  const { properties, required } = schema as { properties?: Fields; required?: readonly string[] };
  if (properties === undefined) return schema;
  const others = Object.entries(properties).filter(([name]) => !names.includes(name));
  return {
    ...schema,
    properties: Object.fromEntries(others),
    ...(required && { required: required.filter((name) => !names.includes(name)) }),
  };
}

/** The same schema in the words of OpenAPI 3.0, which has neither the type null nor rules for names. */
export function asOpenApi30(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asOpenApi30);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { propertyNames: _, ...words } = schema as Schema;
  const [first, second] = (words['anyOf'] ?? []) as readonly Schema[];
  if (second?.['type'] === 'null') return { ...(asOpenApi30(first) as Schema), nullable: true };
  return Object.fromEntries(
    Object.entries(words).map(([word, value]) => [word, asOpenApi30(value)]),
  );
}
