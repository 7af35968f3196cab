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

  /** What {@link describe} was told of a table; none before. */
  abstract columnsOf(table: string): readonly TableColumn[];

  /**
   * The events whose messages are made of the changes of a table, by {@link ReportedTable.name}: none before the table is
   * described.
   */
  abstract eventsOf(table: string): readonly EventPlan[];

  /**
   * False: nobody would get any event of a table, by {@link ReportedTable.name}, as far as this process knows the
   * subscribers. True as well when the table is not described.
   */
  abstract mayBeHeard(table: string): boolean;

  /**
   * Makes the messages of changes that are committed, in the order of the changes. Changes of one row in one transaction
   * become one; where the transaction is not known, each change stands by itself.
   *
   * @throws what the database throws, what a row throws that cannot be read, and what a function of an event throws
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

/** Tables of one database that several declare, each another: entities, and tables by name. */
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

  /** In the order of the changes of each part: those of one row are of one part. */
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
