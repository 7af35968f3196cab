/** A JSON Schema of the dialect that OpenAPI 3.1 uses, 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const LOCAL = /^#\/(?:\$defs|definitions)\/([^/]+)$/;
// Their values are schemas by name, whatever the names are.
const MAPS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
  '$defs',
]);
const DATA: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'example', 'examples']);

/**
 * Returns the schema with its own definitions written out in place, so that it can be put into any document. A
 * definition that refers to itself is written out once and left open below that.
 */
export function standalone(schema: JsonSchema): JsonSchema {
  const definitions = { ...objectAt(schema, 'definitions'), ...objectAt(schema, '$defs') };
  return expanded(schema, definitions, []) as JsonSchema;
}

function expanded(
  value: unknown,
  definitions: Readonly<Record<string, unknown>>,
  inside: readonly string[],
): unknown {
  if (Array.isArray(value)) return value.map((item) => expanded(item, definitions, inside));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, ...rest } = value as Readonly<Record<string, unknown>>;
  const own = Object.fromEntries(
    Object.entries(rest)
      .filter(([key]) => key !== '$schema' && key !== '$defs' && key !== 'definitions')
      .map(([key, inner]) => [key, expandedKeyword(key, inner, definitions, inside)]),
  );
  if (typeof $ref !== 'string') return own;
  const name = LOCAL.exec($ref)?.[1];
  if (name === undefined) return $ref.startsWith('#') ? own : { ...own, $ref };
  if (inside.includes(name)) return own;
  const target = expanded(definitions[decodeURIComponent(name)] ?? {}, definitions, [
    ...inside,
    name,
  ]);
  return typeof target === 'object' ? { ...target, ...own } : target;
}

function expandedKeyword(
  key: string,
  value: unknown,
  definitions: Readonly<Record<string, unknown>>,
  inside: readonly string[],
): unknown {
  if (DATA.has(key)) return value;
  if (!MAPS.has(key) || typeof value !== 'object' || value === null) {
    return expanded(value, definitions, inside);
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, expanded(inner, definitions, inside)]),
  );
}

function objectAt(schema: JsonSchema, key: string): Readonly<Record<string, unknown>> {
  const value = schema[key];
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
