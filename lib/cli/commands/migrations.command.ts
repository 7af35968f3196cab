import type { WhichMigrations } from './migrations-sql.js';
import { type Command, parseText } from '../terminal/command.js';
import { UsageError } from '../terminal/usage.error.js';

const DATABASES = ['sqlite', 'postgres', 'mysql', 'mariadb'] as const;

export const migrationsCommand: Command = {
  name: 'migrations',
  operands: DATABASES.join('|'),
  summary: "Prints the SQL of the library's tables",
  details: [
    "For who does not use TypeORM's own runner; with it, name thornMigrations among the migrations of the data source.",
    'No database is connected to.',
  ].join('\n'),
  options: {
    'change-feed': {
      type: 'boolean',
      help: 'the table and the trigger function of the change feed',
    },
    down: { type: 'boolean', help: 'the SQL that removes the tables' },
    prefix: { type: 'string', value: 'text', help: "the data source's entityPrefix" },
    receiver: { type: 'boolean', help: 'the table of a receiver, thorn_received_messages' },
  },
  most: 1,
  async run([database], given, terminal) {
    const known = DATABASES.find((one) => one === database);
    if (known === undefined) throw new UsageError(`name a database: ${DATABASES.join(', ')}`);
    if (given['change-feed'] === true && database !== 'postgres') {
      throw new UsageError('--change-feed works with postgres alone');
    }
    if (given['change-feed'] === true && given['receiver'] === true) {
      throw new UsageError('name --change-feed or --receiver, not both');
    }
    // TypeORM takes longer to load than everything else together.
    const { migrationsSql } = await import('./migrations-sql.js');
    const which: WhichMigrations = {
      down: given['down'] === true,
      of:
        given['change-feed'] === true ? 'feed' : given['receiver'] === true ? 'receiver' : 'outbox',
      prefix: parseText(given, 'prefix') ?? '',
    };
    for (const statement of await migrationsSql(known, which)) terminal.out(`${statement};`);
    return 0;
  },
};
