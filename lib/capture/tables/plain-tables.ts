import { Logger } from '@nestjs/common';
import type { ReportedChange, ReportedTable } from '../../database/triggers/reported-table.js';
import { InvalidInputError } from '../../errors/index.js';
import type { Message } from '../../message/index.js';
import { RowChange } from '../changes/row-change.js';
import type { EntityMessages } from '../messages/entity-messages.js';
import { RowReader } from '../messages/row-reader.js';
import {
  eventsWithoutData,
  noDataWarning,
  secretColumns,
  secretsWarning,
} from '../plan/declaration-warnings.js';
import { type EventPlan, planTable, type TablePlan } from '../plan/event-plan.js';
import { checkColumnSettings } from '../plan/hidden-columns.js';
import { isSameColumnValue } from '../table/column-equality.js';
import { tableRowKey } from '../table/row-key.js';
import type { Row } from '../table/row-table.js';
import type { TableEvents } from './define-table-events.js';
import { PlainTable } from './plain-table.js';
import { messagesOfUnits, type ReportedItem } from './reported-units.js';
import { ReportedTables, type TableColumn } from './reported-tables.js';

/** A table whose columns are known. */
interface Described {
  readonly table: PlainTable;
  readonly plan: TablePlan;
  readonly columns: readonly TableColumn[];
}

/** The tables that `defineTableEvents()` declares: everything that their events need is in the changes. */
export class PlainTables extends ReportedTables {
  readonly #logger = new Logger('Thorn');
  readonly #declared: ReadonlyMap<string, TableEvents>;
  readonly #described = new Map<string, Described>();

  constructor(
    readonly declared: readonly TableEvents[],
    private readonly messages: EntityMessages,
  ) {
    super();
    this.#declared = new Map(declared.map((one) => [one.name, one]));
  }

  override get tables(): readonly ReportedTable[] {
    return this.declared;
  }

  /** The tables whose columns are known, with their events. */
  get plans(): readonly TablePlan[] {
    return [...this.#described.values()].map(({ plan }) => plan);
  }

  override describe(name: string, columns: readonly TableColumn[]): void {
    const declared = this.#declared.get(name);
    if (declared === undefined) return;
    const { hidden, notSecret, events } = declared;
    const table = new PlainTable(declared, columns);
    checkColumnSettings(table, { hidden, notSecret });
    const plan = planTable(table, events)!;
    this.#described.set(name, { table, plan, columns });
    this.#warn(plan, declared);
  }

  #warn(plan: TablePlan, { name, declaration }: TableEvents): void {
    for (const found of secretColumns([plan])) {
      const fix = (names: string) => `Leave them out: omit: [${names}] of ${declaration}`;
      this.#logger.warn(secretsWarning({ ...found, entity: name }, fix));
    }
    for (const found of eventsWithoutData([plan])) {
      const fix = 'payload: ({ id }) => ({ id })';
      this.#logger.warn(noDataWarning(found, { declaration, fix }));
    }
  }

  override columnsOf(table: string): readonly TableColumn[] {
    return this.#described.get(table)?.columns ?? [];
  }

  override eventsOf(table: string): readonly EventPlan[] {
    return this.#described.get(table)?.plan.events ?? [];
  }

  override mayBeHeard(table: string): boolean {
    const events = this.#described.get(table)?.plan.events;
    return events === undefined || this.messages.heardOf(events).length > 0;
  }

  override messagesOf(changes: readonly ReportedChange[]): Promise<readonly Message[]> {
    return messagesOfUnits(
      changes.flatMap((change) => this.#items(change)),
      {
        messages: this.messages,
        reader: NOTHING_TO_READ,
      },
    );
  }

  #items(change: ReportedChange): readonly ReportedItem[] {
    const described = this.#described.get(change.table);
    if (described === undefined) return [];
    return [{ change, item: changeOf(change, described) }];
  }
}

/** The change of a row that a trigger has reported. */
function changeOf(
  { id: change, before: reportedBefore, after: reportedAfter }: ReportedChange,
  { table, plan }: Described,
): RowChange {
  const before = reportedBefore === null ? undefined : table.rowOf(reportedBefore);
  const after = reportedAfter === null ? undefined : table.rowOf(reportedAfter);
  const keyOf = (row: Row): string => {
    const key = tableRowKey(table, row);
    if (key !== undefined) return key;
    throw new InvalidInputError('key', `of ${table.name} is missing in the change ${change}`);
  };
  const shared = { plan, isComplete: true };
  if (after === undefined) {
    const key = keyOf(before!);
    return new RowChange({ did: 'remove', key, id: before!, before, ...shared, changed: [] });
  }
  const key = keyOf(after);
  if (before === undefined) {
    return new RowChange({ did: 'insert', key, id: after, before, after, ...shared, changed: [] });
  }
  const changed = table.columns
    .filter((column) => !isSameColumnValue(column, column.get(before), column.get(after)))
    .map((column) => ({ of: column, value: column.get(after) }));
  return new RowChange({ did: 'update', key, id: after, before, after, ...shared, changed });
}

/** Changes tell their rows, and there are no relations. */
class NothingToRead extends RowReader {
  override async rows(): Promise<ReadonlyMap<string, object>> {
    return new Map<string, object>();
  }

  override async linked(): Promise<ReadonlySet<string>> {
    return new Set<string>();
  }
}

const NOTHING_TO_READ = new NothingToRead();
