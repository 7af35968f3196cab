import type { JsonSchema } from '../event/index.js';

export type ResolveRef = (ref: string) => unknown;

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  null: 'null',
};

/** Translates JSON Schemas into TypeScript types. A schema that types cannot express becomes `unknown`. */
export class SchemaTypes {
  readonly #inside: string[] = [];

  constructor(private readonly resolve: ResolveRef) {}

  typeOf(schema: unknown, indent = ''): string {
    if (schema === false) return 'never';
    if (typeof schema !== 'object' || schema === null) return 'unknown';
    const { $ref, const: constant, enum: values, oneOf, anyOf, allOf, type } = schema as JsonSchema;
    if (typeof $ref === 'string') return this.#referred($ref, indent);
    if ('const' in schema) return literal(constant);
    if (Array.isArray(values)) return union(values.map(literal));
    const parts = [oneOf, anyOf].filter((list) => Array.isArray(list)) as unknown[][];
    const types = parts.map((list) => union(list.map((one) => this.typeOf(one, indent))));
    if (Array.isArray(allOf)) types.push(...allOf.map((one) => this.typeOf(one, indent)));
    const named = Array.isArray(type) ? (type as unknown[]) : [type];
    if (type !== undefined || 'properties' in schema) {
      types.push(union(named.map((one) => this.#named(one, schema as JsonSchema, indent))));
    }
    return types.length === 0
      ? 'unknown'
      : types.map((one) => (types.length === 1 ? one : grouped(one))).join(' & ');
  }

  #named(type: unknown, schema: JsonSchema, indent: string): string {
    if (type === 'array') {
      return `readonly ${grouped(this.typeOf(schema['items'], indent), true)}[]`;
    }
    if (type === 'object' || type === undefined) return this.#object(schema, indent);
    return PRIMITIVES[String(type)] ?? 'unknown';
  }

  #object({ properties, required, additionalProperties }: JsonSchema, indent: string): string {
    const entries = Object.entries((properties ?? {}) as Readonly<Record<string, unknown>>);
    const needed = new Set(Array.isArray(required) ? (required as unknown[]) : []);
    const inner = `${indent}  `;
    if (entries.length === 0) {
      const value =
        typeof additionalProperties === 'object'
          ? this.typeOf(additionalProperties, indent)
          : 'unknown';
      return `Readonly<Record<string, ${value}>>`;
    }
    const lines = entries.map(([name, schema]) => {
      const { description } = (typeof schema === 'object' ? schema : {}) as JsonSchema;
      const mark = needed.has(name) ? '' : '?';
      const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
      return `${comment(description, inner)}${inner}readonly ${key}${mark}: ${this.typeOf(schema, inner)};\n`;
    });
    return `{\n${lines.join('')}${indent}}`;
  }

  #referred(ref: string, indent: string): string {
    if (this.#inside.includes(ref)) return 'unknown';
    this.#inside.push(ref);
    try {
      return this.typeOf(this.resolve(ref), indent);
    } finally {
      this.#inside.pop();
    }
  }
}

/** Writes a comment. The sign that ends a comment is escaped in the text, so that the text cannot end it early. */
export function comment(text: unknown, indent: string): string {
  if (typeof text !== 'string' || text.trim() === '') return '';
  const lines = text.trim().replaceAll('*/', '*\\/').split('\n');
  if (lines.length === 1) return `${indent}/** ${lines[0]!} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`;
}

function literal(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'unknown' : JSON.stringify(value);
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(' | ') || 'never';
}

/** Puts a type in brackets where an operator around it binds tighter, as in `(A | B)[]`. */
function grouped(type: string, isElement = false): string {
  const isJoined = /^[^{]*[|&]/.test(type) || /\}[^}]*[|&]/.test(type);
  return isJoined || (isElement && type.startsWith('readonly ')) ? `(${type})` : type;
}
