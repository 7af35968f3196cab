/** A schema of JSON Schema 2020-12, with the type of the values that it describes. */
export interface Schema<Value = unknown> {
  readonly [keyword: string]: unknown;
  /** Never there: it carries the type. */
  readonly '~value'?: Value;
}

export type ValueOf<Given> = Given extends { readonly '~value'?: infer Value } ? Value : never;

export type Fields = Readonly<Record<string, Schema>>;

export type ValuesOf<Given extends Fields> = {
  readonly [Field in keyof Given]: ValueOf<Given[Field]>;
};

export const text: Schema<string> = { type: 'string' };
export const count: Schema<number> = { type: 'integer', minimum: 0 };
export const integer: Schema<number> = { type: 'integer' };
export const flag: Schema<boolean> = { type: 'boolean' };
export const time: Schema<string> = { type: 'string', format: 'date-time' };

export function oneOf<const Value extends string>(values: readonly Value[]): Schema<Value> {
  return { type: 'string', enum: values };
}

export function nullable<Value>(schema: Schema<Value>): Schema<Value | null> {
  return { anyOf: [schema, { type: 'null' }] };
}

export function list<Value>(items: Schema<Value>): Schema<readonly Value[]> {
  return { type: 'array', items };
}

/** An object by whose names values of one kind are found. */
export function map<Value>(values: Schema<Value>): Schema<Readonly<Record<string, Value>>> {
  return { type: 'object', additionalProperties: values };
}

/** An answer: every field is there. @param optional fields that may be absent */
export function all<Given extends Fields>(
  fields: Given,
  optional: Fields = {},
): Schema<ValuesOf<Given>> {
  const properties = { ...fields, ...optional };
  return { type: 'object', properties, required: Object.keys(fields) };
}

/** A request: every field may be left out, except the named ones. */
export function some(properties: Fields, required: readonly string[] = []): Schema {
  return {
    type: 'object',
    properties,
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
  };
}
