import type { BesideColumns } from '../plan/row-paths.js';
import type { Relation, RowTable } from '../table/row-table.js';

/** Rows by their table and key. */
export type Rows = ReadonlyMap<RowTable, ReadonlyMap<string, object>>;

/** Reads rows as they are in the open transaction, or as they are now when there is no transaction. */
export abstract class RowReader {
  /**
   * Reads rows of a table with their relations, including softly removed rows.
   *
   * @param ids objects that hold their keys
   * @returns the rows that exist, by {@link tableRowKey}
   */
  abstract rows(
    table: RowTable,
    ids: readonly object[],
    beside: BesideColumns,
  ): Promise<ReadonlyMap<string, object>>;

  /** Finds the rows of a table that have links of a relation, by {@link tableRowKey}. */
  abstract linked(
    table: RowTable,
    relation: Relation,
    ids: readonly object[],
  ): Promise<ReadonlySet<string>>;
}
