import type { Database } from 'better-sqlite3';
import type { DataSource } from 'typeorm';
import type { CommitLog, LoggedCommit, LoggedRow } from './commit-log.js';

/** A row of the table that triggers write in the transaction of each change. */
interface AuditedChange {
  readonly name: string;
  readonly old_row: LoggedRow | string | null;
  readonly new_row: LoggedRow | string | null;
  readonly trx: number | string;
}

/**
 * On MariaDB, which gives a versioned row the number of its transaction by itself. When that was committed is known from
 * row to row alone: who changes a row has waited for the commit of who changed it before.
 *
 * What a statement changes that was in no transaction is left out. Each of ours is in one, but for those that TypeORM has
 * begun at once with another: a deadlock or ER_CHECKREAD of that has ended the transaction before they are made.
 */
export function mariadbAudit(): CommitLog {
  return {
    options: {},
    ordersRowsAlone: true,
    join: () => {},
    begin: async (dataSource, tables) => {
      await dataSource.query(
        'CREATE TABLE audit (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), old_row JSON, new_row JSON, is_stray INT, ' +
          'trx BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, trx_end BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, ' +
          'PERIOD FOR SYSTEM_TIME(trx, trx_end)) ENGINE=InnoDB WITH SYSTEM VERSIONING',
      );
      await createTriggers(dataSource, tables, {
        row: 'JSON_OBJECT',
        statement: (values) =>
          `INSERT INTO audit (name, old_row, new_row, is_stray) VALUES (${values}, 1 - @@in_transaction)`,
      });
    },
    read: async (dataSource) => {
      const rows = await dataSource.query<AuditedChange[]>(
        'SELECT name, old_row, new_row, CAST(trx AS CHAR) AS trx FROM audit WHERE is_stray = 0 ORDER BY id',
      );
      return byTransaction(rows);
    },
    end: async () => {},
  };
}

/** On SQLite, whose transactions do not overlap: the driver tells when there is none. */
export function sqliteAudit(): CommitLog {
  // Of one process or another, one after the other: numbers grow with the time.
  let transaction = Date.now() * 1000;
  let isInTransaction = () => false;
  const join = ({ driver }: DataSource) => {
    const { databaseConnection: database } = driver as unknown as {
      readonly databaseConnection: Database;
    };
    isInTransaction = () => database.inTransaction;
    database.function('current_transaction', () => transaction);
  };
  return {
    ordersRowsAlone: false,
    options: {
      verbose: () => {
        if (!isInTransaction()) transaction++;
      },
    },
    join,
    begin: async (dataSource, tables) => {
      join(dataSource);
      await dataSource.query(
        'CREATE TABLE audit (id INTEGER PRIMARY KEY, name TEXT, old_row TEXT, new_row TEXT, trx INTEGER)',
      );
      await createTriggers(dataSource, tables, {
        row: 'json_object',
        statement: (values) =>
          `BEGIN INSERT INTO audit (name, old_row, new_row, trx) VALUES (${values}, current_transaction()); END`,
      });
    },
    read: async (dataSource) =>
      byTransaction(
        await dataSource.query<AuditedChange[]>(
          'SELECT name, old_row, new_row, trx FROM audit ORDER BY id',
        ),
      ),
    end: async () => {},
  };
}

async function createTriggers(
  dataSource: DataSource,
  tables: ReadonlyMap<string, readonly string[]>,
  sql: { readonly row: string; statement(values: string): string },
): Promise<void> {
  for (const [table, columns] of tables) {
    const row = (of: 'OLD' | 'NEW') =>
      `${sql.row}(${columns.map((name) => `'${name}', ${of}.${name}`).join(', ')})`;
    const values = {
      INSERT: `NULL, ${row('NEW')}`,
      UPDATE: `${row('OLD')}, ${row('NEW')}`,
      DELETE: `${row('OLD')}, NULL`,
    };
    for (const [kind, rows] of Object.entries(values)) {
      await dataSource.query(
        `CREATE TRIGGER audit_${table}_${kind} AFTER ${kind} ON ${table} FOR EACH ROW ` +
          sql.statement(`'${table}', ${rows}`),
      );
    }
  }
}

/** The transaction whose last change is the later one was committed later, if both have changed one row. */
function byTransaction(rows: readonly AuditedChange[]): readonly LoggedCommit[] {
  const commits = new Map<string, LoggedCommit>();
  for (const { name: table, old_row: before, new_row: after, trx } of rows) {
    const change = { table, before: parse(before), after: parse(after) };
    const changes = commits.get(String(trx)) ?? [];
    // To the end of the map.
    commits.delete(String(trx));
    commits.set(String(trx), [...changes, change]);
  }
  return [...commits.values()];
}

function parse(row: LoggedRow | string | null): LoggedRow | null {
  return typeof row === 'string' ? (JSON.parse(row) as LoggedRow) : row;
}
