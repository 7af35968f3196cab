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

export interface IndexDefinition {
  readonly columns: readonly string[];
  /** Default `false`. */
  readonly unique?: boolean;
  /** The rows that are in it. MySQL and MariaDB have all rows in each index. */
  readonly where?: string;
}

/**
 * A table of the library. Its migration, its printed SQL and the check at the start are made from this, and the entity of
 * each table without a generated column.
 */
export interface TableDefinition {
  readonly name: string;
  /** By their names in the database, in their order there. */
  readonly columns: Readonly<Record<string, ColumnDefinition>>;
  readonly primaryKey: readonly string[];
  readonly indexes: readonly IndexDefinition[];
}
