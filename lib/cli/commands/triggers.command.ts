import { findSchemaFault, SchemaSql } from '../../database/schema/schema-sql.js';
import type { SqlExecutor } from '../../database/sql-client.js';
import type { ReportedTable } from '../../database/triggers/reported-table.js';
import { findTriggerFaults, planTriggers } from '../../database/triggers/table-triggers.js';
import { errorText } from '../../common/log.js';
import { MYSQL, POSTGRES, SQLITE } from '../../sql/databases/databases.js';
import { connectionOf } from '../../database/sqlite-store.js';
import { type Command, type Given, parseText, parseWord } from './command.js';
import { type Terminal, UsageError, writeText } from './terminal.js';
import { migrationText } from './migration-tools.js';

const DATABASES = { postgres: POSTGRES, mysql: MYSQL, mariadb: MYSQL, sqlite: SQLITE } as const;
type DatabaseWord = keyof typeof DATABASES;

const TOOLS = ['prisma', 'drizzle', 'typeorm'] as const;
const NAME = 'thorn_triggers';

export const triggersCommand: Command = {
  name: 'triggers',
  operands: `${Object.keys(DATABASES).join('|')} <table:key>…`,
  summary: 'Prints the SQL of the triggers that report the changes of tables',
  details: [
    'Name each table with the columns of its key: orders:id lines:order_id+sku. The command reads the columns of the table from',
    'the database at --url, and writes nothing to it. With --for, a migration may make the tables of Thorn later. With --check it',
    'prints the triggers that are missing, disabled or outdated there, and ends with 1 if there is one.',
  ].join('\n'),
  options: {
    check: {
      type: 'boolean',
      help: 'compares the triggers of the database with those that are needed',
    },
    down: { type: 'boolean', help: 'prints the SQL that removes the triggers' },
    for: { type: 'string', value: TOOLS.join('|'), help: 'prints a migration for this tool' },
    omit: {
      type: 'string',
      value: 'columns',
      help: 'columns that the triggers do not report: orders.note,orders.secret',
    },
    out: {
      type: 'string',
      value: 'file',
      help: 'writes the SQL to this file, once it is complete',
    },
    prefix: { type: 'string', value: 'text', help: "the prefix of the names of Thorn's tables" },
    schema: { type: 'string', value: 'name', help: "the schema of Thorn's tables, for postgres" },
    url: { type: 'string', value: 'url', help: 'the URL of the database, for SQLite file:app.db' },
  },
  most: Number.MAX_SAFE_INTEGER,
  async run([word, ...operands], given, terminal) {
    const database = Object.keys(DATABASES).find((one) => one === word) as DatabaseWord | undefined;
    if (database === undefined) {
      throw new UsageError(`name a database: ${Object.keys(DATABASES).join(', ')}`);
    }
    const tables = parseTables(operands, given);
    const tool = parseWord(given, 'for', TOOLS);
    const schema = parseText(given, 'schema');
    const fault = schema === undefined ? null : findSchemaFault(database, schema);
    if (fault !== null) throw new UsageError(`--schema ${fault}`);
    const out = parseText(given, 'out');
    if (out !== undefined && given['check'] === true) {
      throw new UsageError(
        '--out takes the SQL of triggers, and --check prints none: leave one out',
      );
    }
    const place = { schema, prefix: parseText(given, 'prefix') };
    // A migration of a tool may run after the one that makes the library's tables.
    const planned = tool === undefined ? undefined : place;
    const sql = new SchemaSql(database, place);
    const path = (name: string) => sql.path(name);
    return onDatabase(database, given, async (executor) => {
      if (given['check'] === true) return checked(executor, path, tables, terminal);
      const create: string[] = [];
      const drop: string[] = [];
      for (const table of tables) {
        const { triggers } = await planTriggers(executor, path, table, planned);
        create.push(...triggers.create);
        drop.push(...triggers.drop);
      }
      const [up, down] = given['down'] === true ? [drop, create] : [create, drop];
      const text = textOf({ database, tool, up, down });
      if (out === undefined) terminal.out(text);
      else await writeText(out, `${text}\n`);
      return 0;
    });
  },
};

function textOf({
  database,
  tool,
  up,
  down,
}: {
  readonly database: DatabaseWord;
  readonly tool: (typeof TOOLS)[number] | undefined;
  readonly up: readonly string[];
  readonly down: readonly string[];
}): string {
  if (tool === 'typeorm') return typeormMigration(up, down);
  if (tool === undefined && DATABASES[database] === MYSQL) return delimited(up);
  return migrationText(tool, NAME, up);
}

function parseTables(operands: readonly string[], given: Given): readonly ReportedTable[] {
  if (operands.length === 0) throw new UsageError('name tables with their keys: orders:id');
  const omitted = (parseText(given, 'omit') ?? '').split(',').filter(Boolean);
  const tables = operands.map((operand) => {
    const colon = operand.lastIndexOf(':');
    const [name, key] = [operand.slice(0, colon), operand.slice(colon + 1).split('+')];
    if (colon < 1 || key.includes('')) {
      throw new UsageError(`"${operand}" must be a table and the columns of its key: orders:id`);
    }
    const own = omitted.filter((one) => one.startsWith(`${name}.`));
    return { name, key, omit: own.map((one) => one.slice(name.length + 1)) };
  });
  const other = omitted.find((one) => !tables.some(({ name }) => one.startsWith(`${name}.`)));
  if (other === undefined) return tables;
  throw new UsageError(
    `--omit names ${other}, which belongs to none of the tables. Write a table of the command and its column, such as orders.note`,
  );
}

const EXAMPLES: Readonly<Record<DatabaseWord, string>> = {
  postgres: 'postgres://user:password@localhost:5432/shop',
  mysql: 'mysql://user:password@localhost:3306/shop',
  mariadb: 'mysql://user:password@localhost:3306/shop',
  sqlite: 'file:shop.db',
};

async function onDatabase<Code>(
  word: DatabaseWord,
  given: Given,
  work: (executor: SqlExecutor) => Promise<Code>,
): Promise<Code> {
  const database = DATABASES[word];
  const url = parseText(given, 'url');
  if (url === undefined || !database.url.test(url)) {
    throw new UsageError(
      `--url must be the address of the ${database.title} database, such as ${EXAMPLES[word]}: the columns of the tables are read from it`,
    );
  }
  database.checkUrl?.('thorn triggers', url);
  const { driver, end } = database.open('thorn triggers', url, 1);
  const { dialect } = database;
  try {
    const connection = await connectionOf(driver).catch((error: unknown) => {
      throw new UsageError(`the database cannot be reached: ${errorText(error)}`);
    });
    try {
      return await work({
        dialect,
        run: ({ sql, parameters }) => connection.query(dialect.placeholders(sql), parameters),
      });
    } finally {
      connection.release();
    }
  } finally {
    await end();
  }
}

async function checked(
  executor: SqlExecutor,
  path: (name: string) => string,
  tables: readonly ReportedTable[],
  terminal: Terminal,
): Promise<0 | 1> {
  let isFine = true;
  for (const table of tables) {
    const faults = await findTriggerFaults(executor, path, table);
    for (const { trigger, kind } of faults) {
      terminal.out(`${table.name}: ${trigger} is ${kind}`);
    }
    isFine &&= faults.length === 0;
  }
  if (isFine) terminal.out('The triggers are as they must be.');
  return isFine ? 0 : 1;
}

/** In the form that the clients `mysql` and `mariadb` can read, because the statements contain semicolons. */
function delimited(statements: readonly string[]): string {
  return ['DELIMITER //', ...statements.map((one) => `${one}//`), 'DELIMITER ;'].join('\n');
}

function typeormMigration(up: readonly string[], down: readonly string[]): string {
  const body = (statements: readonly string[]) =>
    statements.map((one) => `    await queryRunner.query(${JSON.stringify(one)});`).join('\n');
  const time = Date.now();
  return [
    `import type { MigrationInterface, QueryRunner } from 'typeorm';\n`,
    `export class ThornTriggers${time} implements MigrationInterface {`,
    `  readonly name = 'ThornTriggers${time}';\n`,
    `  async up(queryRunner: QueryRunner): Promise<void> {\n${body(up)}\n  }\n`,
    `  async down(queryRunner: QueryRunner): Promise<void> {\n${body(down)}\n  }\n}`,
  ].join('\n');
}
