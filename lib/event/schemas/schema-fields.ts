import { isObject } from '../../common/objects.js';
import { isDecimalText, isNumeric } from '../conditions/condition-number.js';
import type { ConditionFault, FieldKind } from '../conditions/condition-fields.js';
import type { OperatorName } from '../conditions/condition.js';
import type { JsonSchema } from './json-schema.js';

const ORDERED: ReadonlySet<OperatorName> = new Set(['gt', 'gte', 'lt', 'lte']);
const COMPARED: ReadonlySet<OperatorName> = new Set([...ORDERED, 'eq', 'ne', 'is', 'isNot']);
const LISTED: ReadonlySet<OperatorName> = new Set(['in', 'notIn']);

/** The fields that data has according to one or several schemas. */
export class SchemaFields {
  readonly #roots: readonly JsonSchema[];

  /** @param schemas each stands for itself: nothing in it refers elsewhere */
  constructor(schemas: readonly JsonSchema[]) {
    this.#roots = schemas.flatMap(alternatives);
  }

  /** Returns the kind of the field at a dotted path, or undefined when no schema has such a field. */
  kindOf(path: string): FieldKind | undefined {
    const found = this.#at(path);
    if (found === null) return 'open';
    if (found.length === 0) return undefined;
    if (found.some(isOpen)) return 'open';
    if (found.flatMap(elements).some(hasFields)) return 'nested';
    return found.every((one) => isOfTypes(one, ['number', 'integer', 'null'])) ? 'number' : 'value';
  }

  /** Returns the names of the fields below a dotted path, for error texts. */
  namesBelow(path: string): readonly string[] {
    const found = (path === '' ? this.#roots : this.#at(path)) ?? [];
    return [...new Set(found.flatMap(elements).flatMap((one) => Object.keys(properties(one))))];
  }

  /** Returns why an operator can never hold for the field, or undefined. */
  operandFault(path: string, operator: OperatorName, operand: unknown): ConditionFault | undefined {
    const found = this.#at(path);
    if (found === null || found.length === 0 || found.some(isOpen)) return undefined;
    const types = typesOf(found);
    if (types === null) return undefined;
    if (ORDERED.has(operator) && types.size === 1 && types.has('boolean')) {
      return {
        text: 'compares a field that is true or false; use eq',
        data: { reason: 'never-holds' },
      };
    }
    const operands = LISTED.has(operator)
      ? [...(operand as Iterable<unknown>)]
      : COMPARED.has(operator)
        ? [operand]
        : [];
    const wrong = operands.find((one) => one !== null && !fits(one, types));
    if (wrong === undefined) return undefined;
    const kinds = [...types].map((type) => TYPES[type] ?? type).join(' or ');
    return { text: `can never hold: the field is ${kinds}`, data: { reason: 'never-holds' } };
  }

  /** Returns null for a path that is open: anything may be there. */
  #at(path: string): readonly JsonSchema[] | null {
    let found = this.#roots;
    for (const segment of path.split('.')) {
      found = found.flatMap(elements);
      if (found.some(isOpen)) return null;
      found = found.flatMap((one) => below(one, segment));
    }
    return found;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
};

/** Returns the schemas that a value may follow, with each alternative of a combinator on its own. */
function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const { allOf, anyOf, oneOf, ...own } = schema;
  const inner = [allOf, anyOf, oneOf].flatMap((list: unknown) => (Array.isArray(list) ? list : []));
  const rest = inner.length > 0 && !describes(own) ? [] : [own];
  return [...rest, ...inner.filter(isObject).flatMap(alternatives)];
}

/** Returns the schemas of a list's elements, or the schema of anything else. */
function elements(schema: JsonSchema): readonly JsonSchema[] {
  const { items } = schema;
  return isObject(items) ? alternatives(items).flatMap(elements) : [schema];
}

function below(schema: JsonSchema, name: string): readonly JsonSchema[] {
  const own = properties(schema);
  if (Object.hasOwn(own, name)) {
    const property = own[name];
    return isObject(property) ? alternatives(property) : [{}];
  }
  const { additionalProperties: more } = schema;
  return isObject(more) ? alternatives(more) : [];
}

/** Tells whether the schema says nothing of the value's fields, so that the value may hold anything. */
function isOpen(schema: JsonSchema): boolean {
  if (!describes(schema) || '$ref' in schema) return true;
  const { additionalProperties: more, patternProperties, items } = schema;
  if (more === true || isObject(patternProperties)) return true;
  if (isOfTypes(schema, ['array'])) return !isObject(items);
  return isOfTypes(schema, ['object']) && !hasFields(schema) && more !== false;
}

function describes(schema: JsonSchema): boolean {
  return ['type', 'properties', 'enum', 'const', '$ref', 'additionalProperties', 'items'].some(
    (key) => key in schema,
  );
}

function hasFields(schema: JsonSchema): boolean {
  return Object.keys(properties(schema)).length > 0 || isObject(schema['additionalProperties']);
}

function properties(schema: JsonSchema): Readonly<Record<string, unknown>> {
  const { properties: own } = schema;
  return isObject(own) ? own : {};
}

function isOfTypes({ type }: JsonSchema, types: readonly string[]): boolean {
  const given: readonly unknown[] = Array.isArray(type) ? type : [type];
  return given.every((one) => typeof one === 'string' && types.includes(one));
}

/** Returns null where a schema does not tell, or where the value is not a single one. */
function typesOf(schemas: readonly JsonSchema[]): ReadonlySet<string> | null {
  const types = new Set<string>();
  for (const { type } of schemas) {
    const given: readonly unknown[] = Array.isArray(type) ? type : [type];
    for (const one of given) {
      if (one === 'null') continue;
      if (typeof one !== 'string' || one === 'object' || one === 'array') return null;
      types.add(one === 'integer' ? 'number' : one);
    }
  }
  return types.size === 0 ? null : types;
}

/** Texts may hold decimals, which compare with numbers by value, and dates are texts in JSON. */
function fits(operand: unknown, types: ReadonlySet<string>): boolean {
  if (isNumeric(operand)) return types.has('number') || types.has('string');
  if (typeof operand === 'string') {
    return types.has('string') || (types.has('number') && isDecimalText(operand));
  }
  if (typeof operand === 'boolean') return types.has('boolean');
  return false;
}
