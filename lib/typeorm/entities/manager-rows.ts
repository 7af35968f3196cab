import type { EntityManager } from 'typeorm';
import { RowReader } from '../../capture/messages/row-reader.js';
import type { BesideColumns } from '../../capture/plan/row-paths.js';
import { rowsWithLinks } from '../rows/junction-rows.js';
import { readRows } from '../rows/row-reader.js';
import type { Relation, RowTable } from '../../capture/table/row-table.js';
import { entityTableOf, relationOf } from './entity-table.js';

/** Reads rows by a manager of TypeORM, in its transaction. */
export class ManagerRows extends RowReader {
  constructor(private readonly manager: EntityManager) {
    super();
  }

  override rows(
    table: RowTable,
    ids: readonly object[],
    beside: BesideColumns,
  ): Promise<ReadonlyMap<string, object>> {
    const { metadata, single } = entityTableOf(table);
    return readRows(this.manager, { metadata, single, ids, ...beside });
  }

  override linked(
    _table: RowTable,
    relation: Relation,
    ids: readonly object[],
  ): Promise<ReadonlySet<string>> {
    return rowsWithLinks(this.manager, relationOf(relation), ids);
  }
}
