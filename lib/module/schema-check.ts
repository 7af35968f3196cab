import { Inject, Injectable, Optional, type OnApplicationBootstrap } from '@nestjs/common';
import { ApiSettings } from '../api/index.js';
import { findDatabase } from '../database/schema/missing-tables.js';
import type { TableDefinition } from '../database/schema/table-definition.js';
import {
  IDEMPOTENCY_KEYS,
  OUTBOX_TABLES,
  PORTAL_LINKS,
  SUBSCRIBERS,
} from '../database/schema/thorn-tables.js';
import type { SqlExecutor, SqlTables } from '../database/sql-client.js';
import { DispatchStrategy } from '../dispatch/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import { OutboxStrategy, SqlClients } from '../outbox/index.js';
import { DatabaseSubscriberRepository, SubscriberRepository } from '../subscriber/index.js';
import { EntitySources } from './entities/entity-sources.js';

/** Ends the start of an application whose database lacks tables or columns that it is about to use. */
@Injectable()
export class SchemaCheck implements OnApplicationBootstrap {
  constructor(
    @Inject(EntitySources) private readonly sources: EntitySources,
    @Inject(SqlClients) private readonly clients: SqlClients,
    @Inject(DispatchStrategy) private readonly strategy: DispatchStrategy,
    @Inject(SubscriberRepository) private readonly subscribers: SubscriberRepository,
    @Optional() @Inject(ApiSettings) private readonly api: ApiSettings | undefined,
  ) {}

  /** By now an application has run its own migrations, if it does so at start-up. */
  async onApplicationBootstrap(): Promise<void> {
    const isDurable = this.strategy instanceof OutboxStrategy;
    const keepsSubscribers = this.subscribers instanceof DatabaseSubscriberRepository;
    for (const [index, { tables, place }] of this.#databases().entries()) {
      await checkTables(tables, place, [
        ...(isDurable ? Object.values(OUTBOX_TABLES) : []),
        ...(index === 0 && keepsSubscribers ? [SUBSCRIBERS] : []),
        ...(index === 0 && this.api !== undefined ? [IDEMPOTENCY_KEYS] : []),
        ...(index === 0 && this.api?.portal === true ? [PORTAL_LINKS] : []),
      ]);
    }
  }

  #databases(): readonly { readonly tables: SqlTables; readonly place: Place }[] {
    const { databases } = this.sources;
    const { all: clients, tables } = this.clients;
    if (databases.length > 0) {
      return databases.map(({ name, client }) => ({
        tables: client,
        place: { name, text: `The data source "${name}"`, remedy: BY_TYPEORM },
      }));
    }
    return clients.map(({ name }) => ({
      tables: tables!,
      place: { name, text: `The database of ${name}`, remedy: 'Run' },
    }));
  }
}

/** A database, for errors. */
interface Place {
  readonly name: string;
  readonly text: string;
  /** What to do but run the SQL. */
  readonly remedy: string;
}

const BY_TYPEORM =
  'Add ...thornMigrations to its migrations and run them, set synchronize: true in development, or run';

/**
 * Checks that tables are there, with all columns. Resolves when the database cannot be reached: the users of the tables
 * wait for it.
 *
 * @throws {@link ThornConfigurationError} naming what is missing, and what to do
 */
async function checkTables(
  store: SqlTables,
  place: Place,
  tables: readonly TableDefinition[],
): Promise<void> {
  for (const { name: table, columns } of tables) {
    const path = store.table(table);
    const names = Object.keys(columns);
    if (await canSelect(store, path, names)) continue;
    if (!(await canSelect(store))) return;
    const isThere = await canSelect(store, path);
    const absent: string[] = [];
    for (const column of isThere ? names : []) {
      if (!(await canSelect(store, path, [column]))) absent.push(column);
    }
    if (!isThere || absent.length > 0) throw await missing(store, place, path, absent);
  }
}

/** Asks what every statement of the library needs: a table that is found by its name, and may be read. */
async function canSelect(
  executor: SqlExecutor,
  path?: string,
  columns: readonly string[] = [],
): Promise<boolean> {
  // With the alias: SQLite takes a quoted name without one that it does not know for a text.
  const selection = columns.map((column) => `t.${column}`).join(', ') || '1';
  const sql = `SELECT ${selection}${path === undefined ? '' : ` FROM ${path} t WHERE 1 = 0`}`;
  try {
    await executor.run({ sql, parameters: [] });
    return true;
  } catch {
    return false;
  }
}

async function missing(
  store: SqlTables,
  { name, text, remedy }: Place,
  path: string,
  columns: readonly string[],
): Promise<ThornConfigurationError> {
  const table = path.replaceAll(/["`]/g, '');
  const what =
    columns.length === 0
      ? `no table ${table}`
      : `no column ${columns.join(', ')} in the table ${table}`;
  return new ThornConfigurationError(
    'THORN_TABLES_MISSING',
    `${text} has ${what}. ${remedy} the SQL that \`npx thorn migrations ${await findDatabase(store)}\` prints.`,
    { dataSource: name, table, columns },
  );
}
