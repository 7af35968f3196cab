import { isObject } from '../common/objects.js';
import { InvalidInputError } from '../errors/index.js';
import type { JsonSchema } from '../event/index.js';
import { documentedEvents } from './documented-events.js';

/** A difference between two catalogues. */
export interface CatalogueChange {
  /** The name of the event as declared. */
  readonly event: string;
  /** The field in the body, such as `data.lines[].price`; null for the event itself. */
  readonly field: string | null;
  /** A sentence part that follows the event and the field, such as `was removed`. */
  readonly text: string;
  /** True: a receiver that was written for the old catalogue may fail. */
  readonly isBreaking: boolean;
}

/** Bounds, with the direction in which they allow less. */
const BOUNDS: Readonly<Record<string, 1 | -1>> = {
  ...{ minimum: 1, exclusiveMinimum: 1, minLength: 1, minItems: 1, minProperties: 1 },
  ...{ maximum: -1, exclusiveMaximum: -1, maxLength: -1, maxItems: -1, maxProperties: -1 },
};

/** Keywords whose values cannot be compared as narrower or wider. */
const UNORDERED = [
  ...['format', 'pattern', 'contentEncoding', 'contentMediaType', 'multipleOf', 'uniqueItems'],
  ...['prefixItems', 'contains', 'patternProperties', 'propertyNames', 'dependentRequired'],
  ...['dependentSchemas', 'not', 'if', 'then', 'else'],
];

/**
 * Compares the events of two documents. Removed events, removed fields, fields that may now be missing, other types,
 * and narrower values are breaking changes. New events, new fields, and new deprecations are not.
 *
 * @param before an OpenAPI 3.1 document with `webhooks`, or an AsyncAPI 3.0 document, as an object
 * @param after a later document of the same kind
 * @returns the changes in the order of the events' names; the breaking changes of an event come first
 * @throws {@link InvalidInputError} for `old document` or `new document` when it describes no webhooks, when a `$ref`
 * in it points to nothing, or when the two documents are of different kinds
 */
export function catalogueChanges(before: unknown, after: unknown): readonly CatalogueChange[] {
  const old = documentedEvents(before, 'old document');
  const now = documentedEvents(after, 'new document');
  if (old.kind !== now.kind) {
    throw new InvalidInputError(
      'new document',
      `must be ${old.kind} as the old one, not ${now.kind}`,
    );
  }
  const bodies = new Map(now.events.map(({ name, body }) => [name, body]));
  const known = new Set(old.events.map(({ name }) => name));
  const changes = old.events.flatMap(({ name, body }) => {
    if (!bodies.has(name)) return [change(name, null, 'was removed', true)];
    const found: CatalogueChange[] = [];
    const comparison = new SchemaComparison(old.resolve, now.resolve, (field, text, isBreaking) =>
      found.push(change(name, field, text, isBreaking)),
    );
    comparison.compare(body, bodies.get(name), '');
    return found;
  });
  const added = now.events
    .filter(({ name }) => !known.has(name))
    .map(({ name }) => change(name, null, 'was added', false));
  return [...changes, ...added].toSorted(
    (one, other) =>
      Number(other.isBreaking) - Number(one.isBreaking) ||
      Number(one.event > other.event) - Number(one.event < other.event),
  );
}

function change(
  event: string,
  field: string | null,
  text: string,
  isBreaking: boolean,
): CatalogueChange {
  return { event, field, text, isBreaking };
}

/** The values that a schema allows, with `anyOf` and `oneOf` as one list of alternatives. */
interface Allowed {
  readonly types: ReadonlySet<string>;
  readonly values: ReadonlySet<string> | null;
  /** The schema of the alternative that is not null. */
  readonly schema: JsonSchema;
  /** The alternatives that are objects or lists: more than one where a field has several shapes. */
  readonly shapes: readonly JsonSchema[];
  readonly isDeprecated: boolean;
}

/** Keywords that do not restrict values. */
const REMARKS = new Set(['title', 'description', 'examples', 'example', '$comment', 'deprecated']);

class SchemaComparison {
  readonly #under: unknown[] = [];

  constructor(
    private readonly resolveOld: (ref: string) => unknown,
    private readonly resolveNew: (ref: string) => unknown,
    private readonly tell: (field: string, text: string, isBreaking: boolean) => void,
  ) {}

  compare(before: unknown, after: unknown, field: string): void {
    const old = allowed(before, this.resolveOld);
    const now = allowed(after, this.resolveNew);
    // A schema that refers to itself is compared once.
    if (this.#under.includes(old.schema)) return;
    this.#under.push(old.schema);
    if (!old.isDeprecated && now.isDeprecated) {
      this.tell(field, 'is deprecated from now on', false);
    }
    if (!isSame(old.types, now.types)) {
      const [was, is] = [old, now].map(({ types }) => [...types].join(' or ') || 'anything');
      this.tell(field, `was ${was} and is ${is}`, true);
    } else if (Math.max(old.shapes.length, now.shapes.length) > 1) {
      this.#compareShapes(old, now, field);
    } else {
      this.#compareValues(old, now, field);
      this.#compareObjects(old.schema, now.schema, field);
      if (old.schema['items'] !== undefined) {
        this.compare(old.schema['items'], now.schema['items'], `${field}[]`);
      }
      // The schema of the values of a map.
      if (isObject(old.schema['additionalProperties'])) {
        this.compare(
          old.schema['additionalProperties'],
          now.schema['additionalProperties'],
          `${field}.*`,
        );
      }
    }
    this.#under.pop();
  }

  /**
   * Compares fields that have several shapes. It compares whole shapes, because nothing tells which old shape became
   * which new one.
   */
  #compareShapes(old: Allowed, now: Allowed, field: string): void {
    const before = old.shapes.map((shape) => JSON.stringify(plain(shape, this.resolveOld, [])));
    const after = now.shapes.map((shape) => JSON.stringify(plain(shape, this.resolveNew, [])));
    if (!before.every((shape) => after.includes(shape))) {
      this.tell(field, 'has several shapes, of which one was changed or removed', true);
    } else if (!after.every((shape) => before.includes(shape))) {
      this.tell(field, 'may have another shape as well', false);
    }
  }

  #compareValues(old: Allowed, now: Allowed, field: string): void {
    if (old.values === null && now.values !== null) {
      this.tell(field, `is one of ${[...now.values].join(', ')} from now on`, true);
    }
    const gone = [...(old.values ?? [])].filter((value) => now.values?.has(value) === false);
    if (gone.length > 0) this.tell(field, `is never ${gone.join(', ')} any more`, true);
    if (old.values !== null && now.values === null) {
      this.tell(field, 'may have other values as well', false);
    }
    const more = [...(now.values ?? [])].filter((value) => old.values?.has(value) === false);
    if (more.length > 0) this.tell(field, `may be ${more.join(', ')} as well`, false);
    for (const keyword of UNORDERED) {
      const [was, is] = [old.schema[keyword], now.schema[keyword]];
      const [before, after] = [plain(was, this.resolveOld, []), plain(is, this.resolveNew, [])];
      if (JSON.stringify(before) === JSON.stringify(after)) continue;
      const isLong = [before, after].some((one) => typeof one === 'object');
      const [shown, shownBefore] = [after, before].map((one) => String(one ?? 'any'));
      const text = isLong
        ? `has another ${keyword}`
        : `has the ${keyword} ${shown}, before ${shownBefore}`;
      this.tell(field, text, true);
    }
    for (const [keyword, direction] of Object.entries(BOUNDS)) {
      const [was, is] = [old, now].map(({ schema }) => schema[keyword]);
      if (was === is) continue;
      const isNarrower =
        typeof is === 'number' && (typeof was !== 'number' || (is - was) * direction > 0);
      const [before, after] = [was, is].map((one) => String(one ?? 'any'));
      this.tell(field, `has the ${keyword} ${after}, before ${before}`, isNarrower);
    }
  }

  #compareObjects(old: JsonSchema, now: JsonSchema, field: string): void {
    const [before, after] = [propertiesOf(old), propertiesOf(now)];
    const [needed, stillNeeded] = [requiredOf(old), requiredOf(now)];
    const added = Object.keys(after).filter((name) => !Object.hasOwn(before, name));
    const path = (name: string) => (field === '' ? name : `${field}.${name}`);
    for (const [name, schema] of Object.entries(before)) {
      if (!Object.hasOwn(after, name)) {
        const alike = added.find((one) => JSON.stringify(after[one]) === JSON.stringify(schema));
        const hint = alike === undefined ? '' : `; ${alike} is new and alike`;
        this.tell(path(name), `was removed${hint}`, true);
      } else {
        if (needed.has(name) && !stillNeeded.has(name)) {
          this.tell(path(name), 'may be missing from now on', true);
        }
        this.compare(schema, after[name], path(name));
      }
    }
    for (const name of added) this.tell(path(name), 'was added', false);
  }
}

function allowed(given: unknown, resolve: (ref: string) => unknown): Allowed {
  const alternatives = alternativesOf(given, resolve, 0);
  const types = new Set(alternatives.flatMap(typesOf));
  const lists = alternatives.map(valuesOf);
  const isListed = lists.length > 0 && lists.every((list) => list !== null);
  // An alternative that is an object or a list has more to compare than a plain value.
  const shapes = alternatives.filter(({ properties, items }) => properties ?? items);
  const schema = shapes[0] ?? alternatives.find((one) => typesOf(one)[0] !== 'null') ?? {};
  return {
    types,
    values: isListed ? new Set(lists.flat().map((value) => JSON.stringify(value))) : null,
    schema,
    shapes,
    // A schema may be deprecated beside its `$ref`.
    isDeprecated: [given, schema].some((one) => isObject(one) && one['deprecated'] === true),
  };
}

/** A schema without references and remarks, its keywords in alphabetical order. */
function plain(
  given: unknown,
  resolve: (ref: string) => unknown,
  above: readonly string[],
): unknown {
  if (Array.isArray(given)) return given.map((one) => plain(one, resolve, above));
  if (!isObject(given)) return given;
  const { $ref: ref } = given;
  if (typeof ref === 'string') {
    return above.includes(ref) ? ref : plain(resolve(ref), resolve, [...above, ref]);
  }
  // A property may be named like a remark, for example `title`. Its value is then a schema, which is an object.
  const entries = Object.entries(given).filter(
    ([name, value]) => !REMARKS.has(name) || isObject(value),
  );
  return Object.fromEntries(
    entries
      .toSorted(([one], [other]) => Number(one > other) - Number(one < other))
      .map(([name, value]) => [name, plain(value, resolve, above)]),
  );
}

function alternativesOf(
  given: unknown,
  resolve: (ref: string) => unknown,
  depth: number,
): readonly JsonSchema[] {
  if (!isObject(given) || depth > 20) return [];
  if (typeof given['$ref'] === 'string') {
    return alternativesOf(resolve(given['$ref']), resolve, depth + 1);
  }
  if (Array.isArray(given['allOf'])) return [mergedParts(given, resolve, depth)];
  const lists = [given['anyOf'], given['oneOf']].filter((list) => Array.isArray(list));
  if (lists.length === 0) return [given];
  return lists.flat().flatMap((one: unknown) => alternativesOf(one, resolve, depth + 1));
}

/** Merges the parts of an `allOf` into one schema. */
function mergedParts(
  { allOf, ...own }: JsonSchema,
  resolve: (ref: string) => unknown,
  depth: number,
): JsonSchema {
  const parts = [own, ...(allOf as readonly unknown[])].flatMap((part) =>
    alternativesOf(part, resolve, depth + 1),
  );
  return {
    ...(Object.assign({}, ...parts) as JsonSchema),
    properties: Object.assign({}, ...parts.map(propertiesOf)) as object,
    required: parts.flatMap((part) => [...requiredOf(part)]),
  };
}

function typesOf({ type, const: constant, enum: values, properties }: JsonSchema): string[] {
  if (typeof type === 'string') return [type];
  if (Array.isArray(type)) return type.map(String);
  const listed = Array.isArray(values) ? values : constant === undefined ? [] : [constant];
  if (listed.length > 0) return [...new Set(listed.map(kindOf))];
  return properties === undefined ? [] : ['object'];
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function valuesOf(schema: JsonSchema): readonly unknown[] | null {
  if ('const' in schema) return [schema['const']];
  if (Array.isArray(schema['enum'])) return schema['enum'] as readonly unknown[];
  return schema['type'] === 'null' ? [null] : null;
}

function propertiesOf({ properties }: JsonSchema): Readonly<Record<string, unknown>> {
  return isObject(properties) ? properties : {};
}

function requiredOf({ required }: JsonSchema): ReadonlySet<unknown> {
  return new Set(Array.isArray(required) ? (required as unknown[]) : []);
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((type) => other.has(type));
}
