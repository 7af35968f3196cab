import type { ReportedChange, ReportedTable } from '../../database/triggers/reported-table.js';
import type { Message } from '../../message/index.js';
import type { EventPlan } from '../plan/event-plan.js';
import { ReportedTables, type TableColumn } from './reported-tables.js';

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
