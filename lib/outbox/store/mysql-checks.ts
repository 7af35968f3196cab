import { isTableMissing } from '../../database/database-errors.js';
import type { SqlStore } from '../../database/sql-store.js';
import { ThornConfigurationError } from '../../errors/index.js';

const JSON_COLUMN = /^\s*`(?:body|recipients)` json\b/im;
// MariaDB's JSON type: the unchanged text, if its escapes are valid.
const CHECKED_COLUMN = /^\s*`(?:body|recipients)` .*json_valid/im;

/**
 * On MySQL `synchronize` makes columns of the type JSON, which keeps a value but not its text, and no other type that
 * TypeORM has for all databases is long enough. They become longtext, which TypeORM holds to be the same ever after; the
 * migrations make them so from the start.
 *
 * @throws {@link ThornConfigurationError} when it is not for us to change tables
 */
export async function ensureTextColumns(store: SqlStore): Promise<void> {
  const messages = store.table('thorn_messages');
  const made = await statementThatMade(store, messages);
  const isJson = JSON_COLUMN.test(made);
  if (!isJson && !CHECKED_COLUMN.test(made)) return;
  const change = `ALTER TABLE ${messages} MODIFY recipients longtext NOT NULL, MODIFY body longtext NULL`;
  if (store.client.synchronizes) await store.run({ sql: change, parameters: [] });
  else if (isJson) {
    throw new ThornConfigurationError(
      'THORN_TABLES_OUTDATED',
      `The columns body and recipients of ${messages} are JSON, which does not keep bodies as they are signed. Run: ${change}`,
    );
  }
}

/** @throws {@link ThornConfigurationError} under a mode in which `mysql2` writes texts into statements wrongly */
export async function checkSqlMode(store: SqlStore): Promise<void> {
  const { rows } = await store.run({ sql: 'SELECT @@sql_mode AS mode', parameters: [] });
  if (!String(rows[0]?.['mode']).includes('NO_BACKSLASH_ESCAPES')) return;
  throw new ThornConfigurationError(
    'THORN_DATABASE_UNSUPPORTED',
    'The database has NO_BACKSLASH_ESCAPES in its sql_mode, under which mysql2 does not escape texts. Leave it out of sql_mode, ' +
      'of the server or of the sessions of the pool.',
  );
}

async function statementThatMade(store: SqlStore, table: string): Promise<string> {
  try {
    const { rows } = await store.run({ sql: `SHOW CREATE TABLE ${table}`, parameters: [] });
    return (rows[0]?.['Create Table'] as string | undefined) ?? '';
  } catch (error) {
    if (isTableMissing(error)) return '';
    throw error;
  }
}
