/** A table whose triggers write the changes of its rows to `thorn_changes`, in the transaction of the writer. */
export interface ReportedTable {
  /** The name of the table in the database; with its schema and a dot in front where it is not the connection's own. */
  readonly name: string;
  /** The columns of its key. They are unique together. */
  readonly key: readonly string[];
  /** The columns whose values are not written down. */
  readonly omit: readonly string[];
  /** What declares its events, for error texts: `defineTableEvents('orders')`, or `the entity Order`. Default the table. */
  readonly declaration?: string | undefined;
}

/** A table for whose rows events are declared: what `defineTableEvents()` returns, or its name, key and omitted columns. */
export interface TriggerTable {
  /**
   * The name, such as `orders`; with its schema, such as `shop.orders`, when that is not the schema of the connection.
   */
  readonly name: string;
  /** The column of its key, or several. */
  readonly key: string | readonly string[];
  /** The columns whose values triggers leave out. Default none. */
  readonly omit?: readonly string[];
}

export function reportedTable({ name, key, omit = [] }: TriggerTable): ReportedTable {
  return { name, key: typeof key === 'string' ? [key] : key, omit };
}

/** A row of a table as a trigger has written it down, by the names of its columns. */
export type ReportedRow = Readonly<Record<string, unknown>>;

/** A row of `thorn_changes`: one change of one row of a table. Both rows have the same key. */
export interface ReportedChange {
  /** A whole number as text. Changes of one row have ascending numbers. */
  readonly id: string;
  /** The number of the transaction. Null on SQLite and MariaDB, whose triggers cannot know it. */
  readonly transaction: string | null;
  /** {@link ReportedTable.name} */
  readonly table: string;
  /** The row before the change; null on insert. */
  readonly before: ReportedRow | null;
  /** The row after the change; null on delete. */
  readonly after: ReportedRow | null;
}
