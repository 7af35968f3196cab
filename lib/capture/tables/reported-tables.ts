import type { ReportedChange, ReportedTable } from '../../database/triggers/reported-table.js';
import type { Message } from '../../message/index.js';
import type { EventPlan } from '../plan/event-plan.js';
import type { SqlClient } from '../../database/sql-client.js';

/** A column of a table, as the database describes it. */
export interface TableColumn {
  readonly name: string;
  /** The database's type in lower case, such as `varchar`. */
  readonly type: string;
  /** Default false. */
  readonly isArray?: boolean | undefined;
}

/** The tables of one database whose changes triggers report, with the events that are declared on them. */
export abstract class ReportedTables {
  abstract readonly tables: readonly ReportedTable[];

  /**
   * Tells the columns of a table, by {@link ReportedTable.name}. Called at each start, before changes are read.
   *
   * @throws `ThornConfigurationError` naming the declaration that names a column which the table lacks
   */
  abstract describe(table: string, columns: readonly TableColumn[]): void;

  /** The columns that {@link describe} was given for a table; none before that. */
  abstract columnsOf(table: string): readonly TableColumn[];

  /**
   * The events whose messages are made of the changes of a table, by {@link ReportedTable.name}: none before the table is
   * described.
   */
  abstract eventsOf(table: string): readonly EventPlan[];

  /**
   * False when no subscriber could get any event of a table, by {@link ReportedTable.name}, as far as this process
   * knows the subscribers. True when the table is not described yet.
   */
  abstract mayBeHeard(table: string): boolean;

  /**
   * Makes the messages of committed changes, in the order of the changes. The changes of one row in one transaction
   * become one change. Where the transaction is not known, each change stands by itself.
   *
   * @throws the error of the database, of a row that cannot be read, or of a function of an event
   */
  abstract messagesOf(changes: readonly ReportedChange[]): Promise<readonly Message[]>;
}

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

/** Tables of one database from several declarations, such as entities and tables by name. Each table is declared once. */
export class JointTables extends ReportedTables {
  constructor(private readonly parts: readonly ReportedTables[]) {
    super();
  }

  override get tables(): readonly ReportedTable[] {
    return this.parts.flatMap(({ tables }) => tables);
  }

  override describe(table: string, columns: readonly TableColumn[]): void {
    this.#of(table)?.describe(table, columns);
  }

  override columnsOf(table: string): readonly TableColumn[] {
    return this.#of(table)?.columnsOf(table) ?? [];
  }

  override eventsOf(table: string): readonly EventPlan[] {
    return this.#of(table)?.eventsOf(table) ?? [];
  }

  override mayBeHeard(table: string): boolean {
    return this.#of(table)?.mayBeHeard(table) ?? true;
  }

  /** Keeps the order of changes within each part. That is enough, because all changes of one row belong to one part. */
  override async messagesOf(changes: readonly ReportedChange[]): Promise<readonly Message[]> {
    const made = this.parts.map((part) =>
      part.messagesOf(changes.filter(({ table }) => this.#of(table) === part)),
    );
    return (await Promise.all(made)).flat();
  }

  #of(name: string): ReportedTables | undefined {
    return this.parts.find(({ tables }) => tables.some((table) => table.name === name));
  }
}
