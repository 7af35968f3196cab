import 'reflect-metadata';
import {
  loadClassTransformer,
  type ValidatedProperty,
  validatedProperties,
} from './validator-schema.js';
import type { DataClass, EventDeclaration } from '../define-events.js';
import { columnsNamed } from '../entity-events.js';
import { type JsonSchema, standalone } from './json-schema.js';

const BUILT_IN: ReadonlyMap<unknown, JsonSchema> = new Map<unknown, JsonSchema>([
  [String, { type: 'string' }],
  [Number, { type: 'number' }],
  [Boolean, { type: 'boolean' }],
  [BigInt, { type: 'integer' }],
  [Date, { type: 'string', format: 'date-time' }],
  [Object, {}],
  [Array, { type: 'array' }],
]);

// Options of @nestjs/swagger that are not keywords of JSON Schema, and keywords that this file makes itself.
const NO_KEYWORDS: ReadonlySet<string> = new Set([
  ...['type', 'isArray', 'required', 'nullable', 'enumName', 'enumSchema', 'name', 'selfRequired'],
  ...['link', 'example', 'examples', 'exclusiveMinimum', 'exclusiveMaximum'],
]);

/**
 * Makes the schema of a class' data, from the decorators of class-validator and class-transformer, from
 * `@ApiProperty()` and from what the plugin of @nestjs/swagger adds. A property that none of them knows is not in it, nor
 * one that an entity hides from its events. A class inside of itself is an object of which nothing else is said.
 */
function schemaOfClass(type: DataClass, inside: readonly unknown[] = []): JsonSchema {
  if (inside.includes(type)) return { type: 'object' };
  const swagger = swaggerProperties(type);
  const validated = validatedProperties(type);
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  const hidden = columnsNamed(type, 'hidden');
  for (const name of new Set([...swagger.keys(), ...validated.keys()])) {
    if (hidden.includes(name)) continue;
    const facts: Facts = {
      type,
      name,
      said: swagger.get(name) ?? {},
      checked: validated.get(name),
      inside: [...inside, type],
    };
    properties[name] = propertySchema(facts);
    const isRequired = facts.said['required'];
    if (isRequired !== false && facts.checked?.isOptional !== true) required.push(name);
  }
  return {
    type: 'object',
    properties,
    ...(required.length > 0 ? { required } : {}),
  };
}

interface Facts {
  readonly type: DataClass;
  readonly name: string;
  readonly said: SwaggerProperty;
  readonly checked: ValidatedProperty | undefined;
  readonly inside: readonly unknown[];
}

function propertySchema(facts: Facts): JsonSchema {
  const { type, name, said, checked, inside } = facts;
  const named = namedType(said['type']);
  const designed: unknown = Reflect.getMetadata('design:type', type.prototype as object, name);
  const isList =
    named.isList || said['isArray'] === true || designed === Array || checked?.isList === true;
  const ofSwagger = Object.fromEntries(
    Object.entries(said).filter(([key]) => !NO_KEYWORDS.has(key)),
  );
  const examples = said['example'] === undefined ? {} : { examples: [said['example']] };
  const element =
    named.type ?? transformedType(type, name, isList) ?? (isList ? undefined : designed);
  const base = schemaOfType(element, inside);
  const schema: JsonSchema = isList
    ? {
        ...checked?.keywords,
        ...ofSwagger,
        type: 'array',
        items: said['items'] ?? { ...base, ...checked?.elementKeywords },
      }
    : { ...base, ...checked?.keywords, ...ofSwagger };
  return { ...(said['nullable'] === true ? nullable(schema) : schema), ...examples };
}

/** The type as @nestjs/swagger takes it: a class, a name, `[Class]` or `() => Class`. */
function namedType(given: unknown): { readonly type: unknown; readonly isList: boolean } {
  let type = given;
  if (typeof type === 'function' && !BUILT_IN.has(type) && !isClass(type)) {
    type = (type as () => unknown)();
  }
  if (Array.isArray(type)) return { type: type[0] as unknown, isList: true };
  return type === 'array' || type === Array
    ? { type: undefined, isList: true }
    : { type, isList: false };
}

function isClass(value: object): boolean {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}

/** Finds the class of `@Type(() => Item)` by using it: class-transformer has no other way to ask. */
function transformedType(type: DataClass, name: string, isList: boolean): unknown {
  try {
    const maker = type as new () => Readonly<Record<string, unknown>>;
    const { plainToInstance } = loadClassTransformer();
    const made = plainToInstance(maker, { [name]: isList ? [{}] : {} })[name];
    const value: unknown = Array.isArray(made) ? made[0] : made;
    const found = (value as object | null | undefined)?.constructor;
    return found === Object ? undefined : found;
  } catch {
    // A class that cannot be made without arguments says nothing.
    return undefined;
  }
}

function schemaOfType(type: unknown, inside: readonly unknown[]): JsonSchema {
  const builtIn = BUILT_IN.get(type);
  if (builtIn !== undefined) return builtIn;
  if (typeof type === 'string') return { type };
  return typeof type === 'function' ? schemaOfClass(type as DataClass, inside) : {};
}

function nullable(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema;
  if (Array.isArray(values)) return { ...schema, enum: [...(values as unknown[]), null] };
  return typeof type === 'string' ? { ...schema, type: [type, 'null'] } : schema;
}

/** The schema of an event's data, or null when none was declared. The schema has no references to other documents. */
export function dataSchemaOf({ schema }: EventDeclaration): JsonSchema | null {
  if (schema === undefined) return null;
  return typeof schema === 'function' ? schemaOfClass(schema) : standalone(schema);
}

/** The options of `@ApiProperty()`, or of the plugin of @nestjs/swagger, for one property. */
type SwaggerProperty = Readonly<Record<string, unknown>>;

// Read as they are written, so that @nestjs/swagger need not be there.
const NAMES = 'swagger/apiModelPropertiesArray';
const PROPERTY = 'swagger/apiModelProperties';
const PLUGIN = '_OPENAPI_METADATA_FACTORY';

/** The properties of a class that @nestjs/swagger knows, including inherited ones. A decorator wins over the plugin. */
function swaggerProperties(type: DataClass): ReadonlyMap<string, SwaggerProperty> {
  const found = new Map<string, SwaggerProperty>();
  for (const one of lineage(type)) {
    for (const [name, property] of Object.entries(ofPlugin(one))) {
      found.set(name, { ...found.get(name), ...property });
    }
  }
  const prototype = type.prototype as object;
  const names = (Reflect.getMetadata(NAMES, prototype) as readonly string[] | undefined) ?? [];
  for (const name of names.map((marked) => marked.slice(1))) {
    const property = Reflect.getMetadata(PROPERTY, prototype, name) as SwaggerProperty;
    const given = Object.entries(property).filter(([, value]) => value !== undefined);
    found.set(name, { ...found.get(name), ...Object.fromEntries(given) });
  }
  return found;
}

/** The class and its bases, the first base first. */
function lineage(type: DataClass): readonly DataClass[] {
  const base = Object.getPrototypeOf(type) as DataClass | null;
  return typeof base === 'function' && base.prototype !== undefined
    ? [...lineage(base), type]
    : [type];
}

function ofPlugin(type: DataClass): Readonly<Record<string, SwaggerProperty>> {
  if (!Object.hasOwn(type, PLUGIN)) return {};
  const factory = Reflect.get(type, PLUGIN) as () => Record<string, SwaggerProperty>;
  return factory();
}
