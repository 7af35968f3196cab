import type { DataSource } from 'typeorm';

/** A row, as the database has written it down: the names and values of its columns. */
export type LoggedRow = Readonly<Record<string, string | number | null>>;

/** A row that was inserted (`before` is null), updated or deleted (`after` is null). */
export interface LoggedChange {
  readonly table: string;
  readonly before: LoggedRow | null;
  readonly after: LoggedRow | null;
}

/** The changes of one committed transaction, in the order in which it made them. */
export type LoggedCommit = readonly LoggedChange[];

/** The database's own record of what was committed: neither our code nor TypeORM has a part in it. */
export interface CommitLog {
  /** Options of a data source that writes; `verbose` is called with each statement on SQLite. */
  readonly options: { readonly verbose?: () => void };
  /** Whether commits are in order only as far as they have changed the same rows. */
  readonly ordersRowsAlone: boolean;
  /** Begins the record: the tables are there. @param tables names of tables with their columns */
  begin(dataSource: DataSource, tables: ReadonlyMap<string, readonly string[]>): Promise<void>;
  /** Makes what another process writes part of the record; its data source has the `options`. */
  join(dataSource: DataSource): void;
  /** What was committed since the begin, in the order of commits. */
  read(dataSource: DataSource): Promise<readonly LoggedCommit[]>;
  /** Ends it, before the database is removed. */
  end(dataSource: DataSource): Promise<void>;
}
