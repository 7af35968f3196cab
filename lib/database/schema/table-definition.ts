/** The type of a column; each database has a word of its own for it. */
export type ColumnType = 'varchar' | 'text' | 'json' | 'boolean' | 'int' | 'bigint' | 'uuid';

export interface ColumnDefinition {
  readonly type: ColumnType;
  /** Most characters of a `varchar`. */
  readonly length?: number;
  /** Default `false`. */
  readonly nullable?: boolean;
  /** True: the database numbers the rows, in ascending order. Only of a `bigint` that is the primary key. Default `false`. */
  readonly generated?: boolean;
}

/** An index of a table. */
export interface IndexDefinition<Name extends string = string> {
  readonly columns: readonly Name[];
  /** Default `false`. */
  readonly unique?: boolean;
  /** The rows that are in it. MySQL and MariaDB have all rows in each index. */
  readonly where?: string;
}

/** Columns by their names in the database, in their order there. */
export type ColumnDefinitions = Readonly<Record<string, ColumnDefinition>>;

/**
 * A table of the library. Its migration, its printed SQL and the check at the start are made from this, and the entity of
 * each table without a generated column. The types of its rows are {@link RowOf} and {@link NewRowOf}.
 */
export interface TableDefinition<Columns extends ColumnDefinitions = ColumnDefinitions> {
  readonly name: string;
  readonly columns: Columns;
  readonly primaryKey: readonly string[];
  readonly indexes: readonly IndexDefinition[];
}

interface Values<Bigint, Bool> {
  readonly varchar: string;
  readonly text: string;
  readonly json: string;
  readonly uuid: string;
  readonly int: number;
  readonly bigint: Bigint;
  readonly boolean: Bool;
}

type ValueIn<Kinds extends Values<unknown, unknown>, Column extends ColumnDefinition> =
  Kinds[Column['type']] | (Column extends { readonly nullable: true } ? null : never);

/** A row as drivers answer it: PostgreSQL and MySQL answer a bigint as a text, SQLite and MySQL a boolean as a number. */
export type RowOf<Table extends TableDefinition> = {
  readonly [Name in keyof Table['columns']]: ValueIn<
    Values<number | string, boolean | number>,
    Table['columns'][Name]
  >;
};

/** A row as it is written. A text and a json are written as they are, a uuid without the prefix of its id. */
export type NewRowOf<Table extends TableDefinition> = {
  readonly [Name in keyof Table['columns']]: ValueIn<
    Values<number, boolean>,
    Table['columns'][Name]
  >;
};

/** Some columns of a table with their kinds, for the rows that are sent along with a statement. */
export type KindsOf<Table extends TableDefinition, Name extends keyof Table['columns']> = {
  readonly [Column in Name]: KindOf<Table['columns'][Column]['type']>;
};

type KindOf<Type extends ColumnType> = Type extends 'uuid' | 'int' | 'bigint' ? Type : 'text';

/** Picks columns of a table for the rows that are sent along with a statement, in the order that is given. */
export function kindsOf<
  Table extends TableDefinition,
  Name extends keyof Table['columns'] & string,
>({ columns }: Table, names: readonly Name[]): KindsOf<Table, Name> {
  const kinds = names.map((name) => {
    const { type } = columns[name]!;
    return [name, type === 'uuid' || type === 'int' || type === 'bigint' ? type : 'text'];
  });
  return Object.fromEntries(kinds) as KindsOf<Table, Name>;
}

type Camel<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : Name;

/** Columns as fields of an object, whose names are in camel case. */
export type FieldsOf<Row> = { readonly [Name in keyof Row & string as Camel<Name>]: Row[Name] };

/** The name of a column as a field of an object: `due_at` is `dueAt`. */
export function fieldOf<Name extends string>(column: Name): Camel<Name> {
  return column.replaceAll(/_(\w)/g, (_, first: string) => first.toUpperCase()) as Camel<Name>;
}
