import { ConsoleLogger, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inline, outbox, ThornModule } from '../../lib/index.js';
import { thornMigrations } from '../../lib/typeorm/index.js';
import type { ThornModuleExtras } from '../../lib/module/options/module-options.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';

const API = { eventTypes: ['*'], api: { unprotected: true, owner: () => 'ann' } } as const;

/** Keeps the lines of errors and warnings. */
class Recorder extends ConsoleLogger {
  readonly lines: string[] = [];
  override log(message: unknown): void {
    if (String(message).startsWith('Started: ')) this.lines.push(String(message));
  }
  override warn(message: unknown): void {
    this.lines.push(String(message));
  }
  override error(message: unknown): void {
    this.lines.push(String(message));
  }
}

const APPLICATIONS = "the application's connections";

describe.each<{ kind: DatabaseKind; name: string; by: string }>([
  { kind: 'file', name: 'sqlite', by: 'better-sqlite3, 1 connection of its own' },
  { kind: 'postgres', name: 'postgres', by: `pg, ${APPLICATIONS}` },
  { kind: 'mariadb', name: 'mariadb', by: `mysql2, ${APPLICATIONS}` },
])('an application without tables, on $kind', ({ kind, name, by }) => {
  let database: TestDatabase;
  let app: INestApplication | undefined;
  let logger: Recorder;

  beforeEach(async () => {
    database = await createDatabase(kind);
    logger = new Recorder();
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    await database.drop();
  });

  async function start(extras: ThornModuleExtras, prepare?: (dataSource: DataSource) => unknown) {
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          autoLoadEntities: true,
          migrations: thornMigrations,
        }),
        ThornModule.forRoot(extras),
      ],
    }).compile();
    app = module.createNestApplication();
    app.useLogger(logger);
    await prepare?.(app.get(DataSource));
    await app.init();
  }

  const remedy =
    'Add ...thornMigrations to its migrations and run them, set synchronize: true in development, or run the SQL ' +
    `that \`npx thorn migrations ${name}\` prints.`;

  it.each<[string, ThornModuleExtras, string]>([
    ['outbox()', { dispatch: outbox() }, 'thorn_messages'],
    ['outbox() without a worker', { dispatch: outbox({ worker: false }) }, 'thorn_messages'],
    ['inline() with subscribers in the database', { dispatch: inline() }, 'thorn_subscribers'],
  ])('does not start with %s, and says what to do', async (_, extras, table) => {
    await expect(start({ ...API, ...extras })).rejects.toThrow(
      `The data source "default" has no table ${table}. ${remedy}`,
    );
    // The worker has looked for nothing yet.
    expect(logger.lines).toEqual([]);
  });

  it('does nothing after a start that failed', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      await expect(start({ dispatch: outbox() })).rejects.toThrow('has no table');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('names the columns that a table lacks', async () => {
    const run = async (dataSource: DataSource) => {
      await dataSource.runMigrations();
      const runner = dataSource.createQueryRunner();
      await runner.dropColumn('thorn_attempts', 'address');
      await runner.dropColumn('thorn_attempts', 'duration');
      await runner.release();
    };
    await expect(start({ dispatch: outbox() }, run)).rejects.toThrow(
      `The data source "default" has no column duration, address in the table thorn_attempts. ${remedy}`,
    );
  });

  it('names the schema that has the tables', async () => {
    if (kind !== 'postgres') return;
    const make = async (dataSource: DataSource) => {
      await dataSource.query('CREATE SCHEMA hooks');
      await dataSource.query('CREATE TABLE hooks.thorn_messages (id integer)');
    };
    await expect(start({ dispatch: outbox() }, make)).rejects.toThrow(
      'The data source "default" has no table thorn_messages, but one of this name in the schema hooks. Name that schema ' +
        "if it has the tables: schema: 'hooks', an option of the client or of the data source.",
    );
  });

  it('starts once the migrations have run, be it after the application was made', async () => {
    await start({ ...API, dispatch: outbox() }, (dataSource) => dataSource.runMigrations());
    expect(logger.lines[0]).toContain(
      `; TypeORM data source default (${name} by ${by}, commits told); `,
    );
  });

  it('needs no tables of the outbox with inline()', async () => {
    const subscribersAlone = async (dataSource: DataSource) => {
      await dataSource.runMigrations();
      const runner = dataSource.createQueryRunner();
      await runner.dropTable('thorn_messages');
      await runner.release();
    };
    await start({ dispatch: inline() }, subscribersAlone);
    expect(app!.get(DataSource).isInitialized).toBe(true);
  });
});
