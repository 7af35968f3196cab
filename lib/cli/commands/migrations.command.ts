import { findSchemaFault, SchemaSql } from '../../database/schema/schema-sql.js';
import { RECEIVED_MESSAGES, THORN_TABLES } from '../../database/schema/thorn-tables.js';
import { type Command, type Given, parseText, parseWord } from './command.js';
import { UsageError } from './terminal.js';
import { migrationText, TOOL_NAMES } from './migration-tools.js';

const DATABASES = ['sqlite', 'postgres', 'mysql', 'mariadb'] as const;

export const migrationsCommand: Command = {
  name: 'migrations',
  operands: DATABASES.join('|'),
  summary: "Prints the SQL of the library's tables",
  details: [
    'Use it when migrations do not run with TypeORM. With TypeORM, add thornMigrations of nestjs-thorn/typeorm to the data',
    "source's migrations instead. The command connects to no database.",
  ].join('\n'),
  options: {
    down: { type: 'boolean', help: 'prints the SQL that removes the tables' },
    for: {
      type: 'string',
      value: TOOL_NAMES.join('|'),
      help: 'prints a migration for this tool',
    },
    prefix: {
      type: 'string',
      value: 'text',
      help: "text before names, as the data source's entityPrefix",
    },
    receiver: {
      type: 'boolean',
      help: 'prints the table that a receiver needs, instead of the tables of a sender',
    },
    schema: { type: 'string', value: 'name', help: 'the schema of the tables, for postgres only' },
  },
  most: 1,
  async run([database], given, terminal) {
    const known = DATABASES.find((one) => one === database);
    if (known === undefined) throw new UsageError(`name a database: ${DATABASES.join(', ')}`);
    const tool = parseWord(given, 'for', TOOL_NAMES);
    terminal.out(migrationText(tool, 'thorn', statementsOf(known, given)));
    return 0;
  },
};

function statementsOf(database: (typeof DATABASES)[number], given: Given): readonly string[] {
  const schema = parseText(given, 'schema');
  const fault = schema === undefined ? null : findSchemaFault(database, schema);
  if (fault !== null) throw new UsageError(`--schema ${fault}`);
  const sql = new SchemaSql(database, { schema, prefix: parseText(given, 'prefix') });
  const tables = given['receiver'] === true ? [RECEIVED_MESSAGES] : THORN_TABLES;
  if (given['down'] === true) return sql.drop(tables);
  return [...sql.createSchema(), ...sql.create(tables)];
}
