import type { DataClass } from '../define-events.js';

// Loaded when first needed: class-validator alone takes longer to load than all of the library.

/** Loads class-validator, with the first class whose rules are read. */
export const loadClassValidator = () =>
  require('class-validator') as typeof import('class-validator');

/** Loads class-transformer, with the first class whose schema is made. */
export const loadClassTransformer = () =>
  require('class-transformer') as typeof import('class-transformer');

/** The constraints of class-validator's decorators on one property. */
export interface ValidatedProperty {
  /** Keywords of JSON Schema for the value; for each of its elements where a decorator says `each`. */
  readonly keywords: Readonly<Record<string, unknown>>;
  readonly elementKeywords: Readonly<Record<string, unknown>>;
  readonly isOptional: boolean;
  readonly isList: boolean;
}

type Keywords = Readonly<Record<string, unknown>>;

const text = (more: Keywords = {}) => ({ type: 'string', ...more });

/** The keywords of JSON Schema for each validator. A validator that JSON Schema cannot express is left out. */
const KEYWORDS: Readonly<Record<string, (constraints: readonly unknown[]) => Keywords>> = {
  isString: () => text(),
  isNumber: () => ({ type: 'number' }),
  isInt: () => ({ type: 'integer' }),
  isBoolean: () => ({ type: 'boolean' }),
  isObject: () => ({ type: 'object' }),
  isArray: () => ({ type: 'array' }),
  isDate: () => text({ format: 'date-time' }),
  isDateString: () => text({ format: 'date-time' }),
  isIso8601: () => text({ format: 'date-time' }),
  isEmail: () => text({ format: 'email' }),
  isUrl: () => text({ format: 'uri' }),
  isUuid: () => text({ format: 'uuid' }),
  isEnum: ([, values]) => ({ enum: values }),
  isIn: ([values]) => ({ enum: values }),
  equals: ([value]) => ({ const: value }),
  minLength: ([least]) => ({ minLength: least }),
  maxLength: ([most]) => ({ maxLength: most }),
  isLength: ([least, most]) => ({
    minLength: least,
    ...(most === undefined ? {} : { maxLength: most }),
  }),
  matches: ([pattern]) => (pattern instanceof RegExp ? { pattern: pattern.source } : {}),
  min: ([least]) => ({ minimum: least }),
  max: ([most]) => ({ maximum: most }),
  isPositive: () => ({ exclusiveMinimum: 0 }),
  isNegative: () => ({ exclusiveMaximum: 0 }),
  arrayMinSize: ([least]) => ({ type: 'array', minItems: least }),
  arrayMaxSize: ([most]) => ({ type: 'array', maxItems: most }),
  arrayNotEmpty: () => ({ type: 'array', minItems: 1 }),
  arrayUnique: () => ({ type: 'array', uniqueItems: true }),
};

/** The properties of a class that carry decorators of class-validator, inherited ones included. */
export function validatedProperties(type: DataClass): ReadonlyMap<string, ValidatedProperty> {
  const found = new Map<string, ValidatedProperty>();
  const { getMetadataStorage } = loadClassValidator();
  const all = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  // Rules of the class come before rules of its bases, and win.
  for (const { propertyName, type: kind, name = '', constraints = [], each } of all) {
    const before = found.get(propertyName) ?? {
      keywords: {},
      elementKeywords: {},
      isOptional: false,
      isList: false,
    };
    const keywords = KEYWORDS[name]?.(constraints as readonly unknown[]) ?? {};
    found.set(propertyName, {
      keywords: each ? before.keywords : { ...keywords, ...before.keywords },
      elementKeywords: each ? { ...keywords, ...before.elementKeywords } : before.elementKeywords,
      isOptional: before.isOptional || kind === 'conditionalValidation',
      isList: before.isList || each || keywords['type'] === 'array',
    });
  }
  return found;
}
