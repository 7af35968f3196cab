import { ThornConfigurationError } from '../../errors/index.js';

/**
 * The condition under which an event is sent; typed against the row. Fields are joined by "and"; a bare value means `eq`.
 *
 * A condition is plain data: it may come from a JSON file as well, see {@link conditionFromJson}. All operators and the
 * rules for null, transitions and to-many relations: docs/conditions.md.
 *
 * @example
 * ```ts
 * const when: Condition<Article> = {
 *   state: { nowEq: 'PUBLISHED' },
 *   author: { account: { isStaff: true } },
 *   NOT: { title: { startsWith: 'Draft' } },
 * };
 * ```
 */
export type Condition<Row> = {
  readonly [Key in keyof Row as FieldName<Row, Key>]?: FieldCondition<Row[Key]>;
} & Combinators<Condition<Row>>;

/** Joins conditions on the same row or field. */
export interface Combinators<Scope> {
  /** Every one of them holds. */
  readonly AND?: readonly Scope[];
  /** At least one of them holds. */
  readonly OR?: readonly Scope[];
  /** The condition does not hold. */
  readonly NOT?: Scope;
}

/** A condition on one field: a bare value (meaning `eq`), operators, and for a relation or object its fields. */
export type FieldCondition<Value> = unknown extends Value
  ? unknown
  : Operand<Loaded<Value>> | Nothing<Value> | FieldScope<Value>;

/** Operators and nested fields of one field; all of them must hold. */
type FieldScope<Value> = OperatorsOf<Value> &
  NestedOf<Element<Loaded<Value>>> &
  Combinators<FieldScope<Value>>;

/** The operators of a field, plain and as transitions: `nowEq` holds when `eq` holds now and did not hold before. */
type OperatorsOf<Value> = {
  readonly [
    Name in keyof PlainOperators<Value> as Name | Transition<Name>
  ]?: PlainOperators<Value>[Name];
};

type PlainOperators<Value> = EqualityOperators<Operand<Loaded<Value>> | Nothing<Value>> &
  ([Ordered<Loaded<Value>>] extends [never] ? unknown : OrderOperators<Ordered<Loaded<Value>>>) &
  ([Extract<Loaded<Value>, string>] extends [never] ? unknown : TextOperators) &
  ([Member<Loaded<Value>>] extends [never]
    ? unknown
    : { readonly contains: Member<Loaded<Value>> });

interface EqualityOperators<Operand> {
  readonly eq: Operand;
  readonly ne: Operand;
  readonly is: Extract<Operand, Primitive> | null;
  readonly isNot: Extract<Operand, Primitive> | null;
  readonly in: readonly Operand[] | ReadonlySet<Operand>;
  readonly notIn: readonly Operand[] | ReadonlySet<Operand>;
  readonly truthy: boolean;
}

interface OrderOperators<Operand> {
  readonly gt: Operand;
  readonly gte: Operand;
  readonly lt: Operand;
  readonly lte: Operand;
}

interface TextOperators {
  readonly startsWith: string;
  readonly endsWith: string;
}

type Transition<Name> = Name extends string ? `now${Capitalize<Name>}` : never;

/** Every operator's name in its plain form. */
export type OperatorName =
  keyof EqualityOperators<never> | keyof OrderOperators<never> | keyof TextOperators | 'contains';

type ReservedName = OperatorName | Transition<OperatorName> | keyof Combinators<never>;

/** Methods are not fields, and inside a field the operators' names are operators. */
type FieldName<Row, Key extends keyof Row> =
  NonNullable<Row[Key]> extends (...args: never[]) => unknown
    ? never
    : Exclude<Key, keyof Combinators<never> | symbol>;

type NestedOf<Row> = [Row] extends [never]
  ? unknown
  : {
      readonly [Key in keyof Row as Exclude<FieldName<Row, Key>, ReservedName>]?: FieldCondition<
        Row[Key]
      >;
    };

/** A lazy relation's value is what its promise resolves to. */
type Loaded<Value> = Value extends null | undefined
  ? never
  : Value extends PromiseLike<infer Resolved>
    ? NonNullable<Resolved>
    : Value;

type Nothing<Value> = Value extends null | undefined
  ? null
  : Value extends PromiseLike<infer Resolved>
    ? Extract<Resolved, null | undefined> extends never
      ? never
      : null
    : never;

/** Objects that are compared by their numeric value, such as those of decimal.js, big.js and bignumber.js. */
interface DecimalLike {
  toFixed(...args: never[]): string;
  toString(): string;
}

type Primitive = string | number | bigint | boolean;
type Scalar = Primitive | Date | Uint8Array;
type Collection = readonly unknown[] | ReadonlySet<unknown> | ReadonlyMap<unknown, unknown>;

/** Values that `eq` and similar operators accept for a field. */
type Operand<Value> = Value extends string
  ? // A string enum may also be spelled as its text.
    Value | `${Value}` | (string extends Value ? DecimalLike & object : never)
  : Value extends number | boolean
    ? Value
    : Value extends bigint
      ? Value | EncodedDecimal
      : Value extends Date
        ? Date | EncodedDate
        : Value extends Uint8Array
          ? Uint8Array
          : Value extends DecimalLike
            ? DecimalLike | string | number | bigint | EncodedDecimal
            : Value extends readonly (infer Item)[]
              ? Item extends Scalar | DecimalLike
                ? readonly Operand<Item>[]
                : never
              : Value extends ReadonlySet<infer Item>
                ? ReadonlySet<Item>
                : Value extends ReadonlyMap<infer Name, infer Item>
                  ? ReadonlyMap<Name, Item>
                  : never;

type Ordered<Value> = Value extends string | number | bigint | Date | DecimalLike
  ? // Drivers return decimal columns as texts.
    Operand<Value> | (string extends Value ? number | bigint | EncodedDecimal : never)
  : never;

/** The operand of `contains`: part of a text, an element, a map's key, an object's key. */
type Member<Value> = Value extends string
  ? string
  : Value extends Exclude<Scalar, string> | DecimalLike
    ? never
    : Value extends
          readonly (infer Item)[] | ReadonlySet<infer Item> | ReadonlyMap<infer Item, unknown>
      ? Operand<NonNullable<Item>>
      : keyof Value & string;

/** The object that nested fields are read of: the relation's, or each element's of a to-many relation. */
type Element<Value> = Value extends Scalar | DecimalLike
  ? never
  : Value extends readonly (infer Item)[]
    ? Element<NonNullable<Item>>
    : Value extends Collection
      ? never
      : Value;

/** Values that JSON has no form for, as they are written in a condition kept as JSON. */
interface EncodedDate {
  readonly $date: string;
}
/** A number of any size and precision, compared by exact value. @see {@link EncodedDate} */
interface EncodedDecimal {
  readonly $decimal: string;
}
/** A condition made into a function, once. */
export interface CompiledCondition {
  /** Every dotted path that is read of the new row. */
  readonly paths: readonly string[];
  /** The paths that are also read from the row before the change (transitions). */
  readonly beforePaths: readonly string[];
  /** @param before the row before the change; null on create, when every previous value counts as absent */
  holds(now: unknown, before: unknown): boolean;
}

/** The type of a row whose fields are not known: every field and operator compiles. */
export type AnyRow = Readonly<Record<string, unknown>>;

/** A condition that can be extended; it is the condition object itself, its methods are not enumerable. */
export type ConditionBuilder<Row> = Condition<Row> & {
  /** Holds when this and the others hold. */
  and(...others: readonly Condition<Row>[]): ConditionBuilder<Row>;
  /** Holds when this or one of the others holds. */
  or(...others: readonly Condition<Row>[]): ConditionBuilder<Row>;
  /** Holds when this does not. */
  not(): ConditionBuilder<Row>;
};

/**
 * Writes a condition as a chain. `Q(a).and(b).or(c)` is the object `{ OR: [{ AND: [a, b] }, c] }`; nothing is changed
 * in place.
 *
 * @example
 * ```ts
 * const when = Q<Article>({ state: { nowEq: 'PUBLISHED' } }).and(Q<Article>({ hidden: true }).not());
 * ```
 */
export function Q<Row = AnyRow>(condition: NoInfer<Condition<Row>>): ConditionBuilder<Row> {
  const methods = {
    and: (...others: readonly Condition<Row>[]) => join<Row>('AND', [condition, ...others]),
    or: (...others: readonly Condition<Row>[]) => join<Row>('OR', [condition, ...others]),
    not: () => Q<Row>({ NOT: condition } as Condition<Row>),
  };
  const builder = { ...condition };
  for (const [name, method] of Object.entries(methods)) {
    if (Object.hasOwn(builder, name)) {
      throw new ThornConfigurationError(
        'THORN_CONDITION_INVALID',
        `Q cannot hold a condition on a field called ${name}; write the condition as an object`,
        { field: name },
      );
    }
    Object.defineProperty(builder, name, { value: method });
  }
  return builder as ConditionBuilder<Row>;
}

function join<Row>(
  key: 'AND' | 'OR',
  conditions: readonly Condition<Row>[],
): ConditionBuilder<Row> {
  return Q<Row>({ [key]: conditions } as Condition<Row>);
}
