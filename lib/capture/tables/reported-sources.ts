import type { SqlClient } from '../../database/sql-client.js';
import type { ReportedTables } from './reported-tables.js';

/** The tables of one database whose changes triggers report. */
export interface ReportedSource {
  readonly client: SqlClient<never>;
  readonly tables: ReportedTables;
}

/** All tables whose changes triggers report, by the clients of their databases. */
export class ReportedSources {
  constructor(readonly all: readonly ReportedSource[]) {}

  /** The tables of a client's database; undefined when there are none. */
  of(client: SqlClient<never>): ReportedTables | undefined {
    return this.all.find((source) => source.client === client)?.tables;
  }
}
