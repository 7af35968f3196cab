import type { EntityMetadata, ObjectLiteral } from 'typeorm';
import type {
  ReportedChange,
  ReportedRow,
  ReportedTable,
} from '../../database/triggers/reported-table.js';
import type { Message } from '../../message/index.js';
import type { LinkChange } from '../../capture/changes/row-change.js';
import type { EventPlan } from '../../capture/plan/event-plan.js';
import { isRelation } from '../../capture/table/row-table.js';
import { ReportedTables, type TableColumn } from '../../capture/tables/reported-tables.js';
import { messagesOfUnits, type ReportedItem } from '../../capture/tables/reported-units.js';
import type { CapturePlan, EntityPlan, LinkPlan } from '../entities/entity-plan.js';
import { linkChange, identifyLinks } from '../entities/link-rows.js';
import { ManagerRows } from '../entities/manager-rows.js';
import type { EntityCapture } from '../hooks/entity-capture.js';
import { type TriggeredRow, TriggerRows, valueOf } from './trigger-rows.js';

/** A table with events: of one or several entities, or of the links of relations. */
interface Source {
  readonly table: ReportedTable;
  readonly rows: readonly TriggerRows[];
  readonly links: readonly LinkPlan[];
  readonly junction: EntityMetadata | undefined;
}

/** The tables of the entities of a data source whose changes triggers report, and of their many-to-many relations. */
export class ReportedEntities extends ReportedTables {
  readonly #columns = new Map<string, readonly TableColumn[]>();
  #plan: CapturePlan | undefined;
  #sources: ReadonlyMap<string, Source> = new Map();

  constructor(private readonly capture: EntityCapture) {
    super();
  }

  override get tables(): readonly ReportedTable[] {
    return [...this.#all().values()].map(({ table }) => table);
  }

  override describe(table: string, columns: readonly TableColumn[]): void {
    this.#columns.set(table, columns);
  }

  override columnsOf(table: string): readonly TableColumn[] {
    return this.#columns.get(table) ?? [];
  }

  override eventsOf(table: string): readonly EventPlan[] {
    const source = this.#all().get(table);
    if (source === undefined) return [];
    const ofRows = source.rows.flatMap(({ plan }) => plan.events);
    const ofLinks = source.links.flatMap(({ entity, relation }) =>
      entity.events.filter((event) => event.relation === relation),
    );
    return [...ofRows, ...ofLinks];
  }

  override mayBeHeard(table: string): boolean {
    return (
      !this.#all().has(table) || this.capture.messages.heardOf(this.eventsOf(table)).length > 0
    );
  }

  override async messagesOf(changes: readonly ReportedChange[]): Promise<readonly Message[]> {
    const { manager } = this.capture.dataSource;
    const [rows, links] = [await this.#rows(changes), this.#links(changes)];
    const known = await identifyLinks(links, manager);
    const ofLinks = known.map((item) => ({ change: item.change, item }));
    const items = [...rows, ...ofLinks].sort(
      (one, other) => Number(one.change.id) - Number(other.change.id),
    );
    const { messages } = this.capture;
    return messagesOfUnits(items, { messages, reader: new ManagerRows(manager) });
  }

  async #rows(changes: readonly ReportedChange[]): Promise<readonly ReportedItem[]> {
    const read = changes.flatMap((change) => {
      const { before, after } = change;
      const all = this.#all().get(change.table)?.rows ?? [];
      const rows = all.find((one) => one.isOf(after ?? before ?? {}));
      return rows === undefined ? [] : [{ change, rows, row: rows.read(before, after) }];
    });
    const byPlan = new Map<TriggerRows, TriggeredRow[]>();
    for (const { rows, row } of read) {
      const own = byPlan.get(rows);
      if (own === undefined) byPlan.set(rows, [row]);
      else own.push(row);
    }
    for (const [rows, own] of byPlan) await rows.complete(own, this.capture.dataSource.manager);
    return read.flatMap(({ change, rows, row }) =>
      rows.changesOf(row).map((item) => ({ change, item })),
    );
  }

  #links(changes: readonly ReportedChange[]): (LinkChange & { change: ReportedChange })[] {
    return changes.flatMap((change) => {
      const { links = [], junction } = this.#all().get(change.table) ?? {};
      return links.flatMap((plan) => {
        const made = (did: LinkChange['did'], row: ReportedRow | null) => {
          const link = row === null ? undefined : this.#link(junction!, row);
          const item = link && linkChange(plan, did, link);
          return item === undefined ? [] : [{ ...item, change }];
        };
        return [...made('unlink', change.before), ...made('link', change.after)];
      });
    });
  }

  #link(junction: EntityMetadata, raw: ReportedRow): ObjectLiteral {
    const link: ObjectLiteral = {};
    for (const column of junction.primaryColumns) {
      const value = valueOf(this.capture.dataSource, raw[column.databaseName], column);
      column.setEntityValue(link, value);
    }
    return link;
  }

  /** A data source that is initialised again has other metadata. */
  #all(): ReadonlyMap<string, Source> {
    const { reported: plan } = this.capture;
    if (plan.entities === this.#plan?.entities) return this.#sources;
    this.#plan = { ...plan };
    return (this.#sources = sourcesOf(
      plan,
      (one) => new TriggerRows(this.capture.dataSource, one),
    ));
  }
}

function sourcesOf(
  { entities, links }: CapturePlan,
  rowsOf: (plan: EntityPlan) => TriggerRows,
): ReadonlyMap<string, Source> {
  const byTable = new Map<string, EntityPlan[]>();
  for (const plan of entities.values()) {
    const name = plan.metadata.tablePath;
    byTable.set(name, [...(byTable.get(name) ?? []), plan]);
  }
  const sources = new Map<string, Source>();
  for (const [name, plans] of byTable) {
    const key = plans[0]!.metadata.primaryColumns.map(({ databaseName }) => databaseName);
    const junction = [...links.keys()].find(({ tablePath }) => tablePath === name);
    sources.set(name, {
      table: { name, key, omit: omittedOf(plans, key), declaration: entityNames(plans) },
      rows: plans.map(rowsOf),
      links: (junction && links.get(junction)) ?? [],
      junction,
    });
  }
  for (const [junction, plans] of links) {
    const name = junction.tablePath;
    if (sources.has(name)) continue;
    const key = junction.primaryColumns.map(({ databaseName }) => databaseName);
    const declaration = entityNames(plans.map(({ entity }) => entity));
    const table = { name, key, omit: [], declaration };
    sources.set(name, { table, rows: [], links: plans, junction });
  }
  return sources;
}

/** The entities of a table for error texts: `the entity Order`. */
function entityNames(plans: readonly EntityPlan[]): string {
  const names = [...new Set(plans.map(({ metadata }) => metadata.name))];
  return `the ${names.length === 1 ? 'entity' : 'entities'} ${names.join(', ')}`;
}

/**
 * The columns that no event of any entity of the table shows or names: hidden columns, and columns with
 * `select: false`.
 */
function omittedOf(plans: readonly EntityPlan[], key: readonly string[]): readonly string[] {
  const events = plans.flatMap((plan) => plan.events);
  const hidden = events[0]!.unreported;
  const names = [...hidden]
    .filter((field) => events.every(({ unreported }) => unreported.has(field)))
    .flatMap((field) => (isRelation(field) ? [] : [field.name]));
  return [...new Set(names)].filter((name) => !key.includes(name));
}
