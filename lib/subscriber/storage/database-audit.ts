import type { Select, Statement } from '../../database/dialect.js';
import type { SqlTables } from '../../database/sql-client.js';
import { parseJson } from '../model/field-kinds.js';
import { SubscriberAudit, type UntoldChange } from '../model/subscriber-audit.js';
import type {
  FailureFigures,
  SubscriberChange,
  SubscriberChangeKind,
  SubscriberChangePage,
} from '../model/subscriber-change.js';
import * as statements from './audit-statements.js';

/** The audit in the table `thorn_subscriber_changes`. */
export class DatabaseAudit extends SubscriberAudit {
  readonly #table: string;
  readonly #subscribers: string;

  /**
   * @param isTold true: the application wants to be told of changes
   * @throws `ThornConfigurationError` when the store does not know the tables
   */
  constructor(
    private readonly store: SqlTables,
    private readonly isTold: boolean,
  ) {
    super();
    this.#table = store.table('thorn_subscriber_changes');
    this.#subscribers = store.table('thorn_subscribers');
  }

  override get isKept(): boolean {
    return true;
  }

  override statements(changes: readonly SubscriberChange[]): readonly Statement[] {
    const [first] = changes;
    if (first === undefined) return [];
    const rows = changes.map((change) => toRow(change, this.isTold));
    return [
      statements.countChange(this.#subscribers, first.subscriberId),
      statements.insertChanges(this.#table, this.#subscribers, rows),
    ];
  }

  override async list(
    subscriberId: string,
    { limit, after }: { readonly limit: number; readonly after: string | null },
  ): Promise<SubscriberChangePage> {
    const rows = await this.#rows(
      statements.selectChanges(this.#table, subscriberId, after, limit + 1),
    );
    const items = rows.slice(0, limit).map(fromRow);
    return { items, next: rows.length > limit ? items.at(-1)!.id : null };
  }

  override async due(now: number, limit: number): Promise<readonly UntoldChange[]> {
    const rows = await this.#rows(statements.selectDueChanges(this.#table, now, limit));
    return rows.map((row) => ({
      change: fromRow(row),
      dueAt: Number(row.due_at),
      tries: Number(row.tries),
    }));
  }

  override async reschedule(
    { change, dueAt, tries }: UntoldChange,
    until: number | null,
    toldAt: number | null = null,
  ): Promise<boolean> {
    const columns = { due_at: until, told_at: toldAt, tries };
    const { affected } = await this.store.run(
      statements.rescheduleChange(this.#table, { id: change.id, dueAt }, columns),
    );
    return affected > 0;
  }

  override async removeBefore(time: number): Promise<void> {
    await this.store.run(statements.deleteChangesBefore(this.#table, time));
  }

  async #rows(statement: Select<statements.ChangeRow>): Promise<readonly statements.ChangeRow[]> {
    const { rows } = await this.store.run(statement);
    return rows as readonly unknown[] as readonly statements.ChangeRow[];
  }
}

function toRow(change: SubscriberChange, isTold: boolean): statements.NewChangeRow {
  const { id, subscriberId, owner, host, kind, at, by, fields, figures } = change;
  return {
    ...{ id, subscriber_id: subscriberId, owner, host, kind },
    changed_at: at,
    changed_by: by,
    fields: JSON.stringify(fields),
    figures: figures === null ? null : JSON.stringify(figures),
    due_at: isTold ? at : null,
    tries: 0,
    told_at: null,
  };
}

function fromRow(row: statements.ChangeRow): SubscriberChange {
  const { id, subscriber_id: subscriberId, owner, host, kind, figures } = row;
  return {
    ...{ id, subscriberId, owner, host, kind: kind as SubscriberChangeKind },
    at: Number(row.changed_at),
    by: row.changed_by,
    fields: (parseJson(row.fields) ?? []) as readonly string[],
    figures: figures === null ? null : ((parseJson(figures) ?? null) as FailureFigures | null),
  };
}
