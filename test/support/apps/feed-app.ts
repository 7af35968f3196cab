import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { expect, vi } from 'vitest';
import { createChangeTrigger, thornChangeFeedMigrations } from '../../../lib/typeorm/index.js';
import { outbox, Subscribers } from '../../../lib/index.js';
import { createDatabase } from '../databases.js';
import { Receiver } from '../receiver.js';
import { loopback, startBlog } from './blog.js';

/** An application on PostgreSQL with the change feed on all tables of some entities. */
export interface FeedApp {
  readonly manager: EntityManager;
  /** Runs SQL as another program. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Runs SQL that the triggers do not report. */
  sqlUnseen(text: string): Promise<void>;
  /** What a write sends, sorted, once nothing is under way any more. */
  sentBy(write: () => Promise<unknown>): Promise<string[]>;
  close(): Promise<void>;
}

/** Starts such an application. */
export async function openFeedApp(entities: (new () => object)[]): Promise<FeedApp> {
  const database = await createDatabase('postgres');
  const receiver = await Receiver.start();
  const outside = await new DataSource({
    ...database.options,
    entities,
    synchronize: true,
  }).initialize();
  const tables = entities.map((entity) => outside.getMetadata(entity));
  const runner = outside.createQueryRunner();
  for (const Migration of thornChangeFeedMigrations) await new Migration().up(runner);
  for (const { tableName: table, name: entity, primaryColumns } of tables) {
    const key = primaryColumns.map(({ databaseName }) => databaseName);
    await createChangeTrigger(runner, { table, entity, key });
  }
  await runner.release();
  const { app, dataSource } = await startBlog(
    { ...database.options, synchronize: true },
    { dispatch: outbox(), changeFeed: { pollInterval: 20 }, recipients: loopback },
    [TypeOrmModule.forFeature(entities)],
  );
  await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });

  const sql = (text: string) => outside.query<Record<string, unknown>[]>(text);
  const triggers = (state: string) =>
    tables
      .map(({ tableName }) => `ALTER TABLE ${tableName} ${state} TRIGGER thorn_report_change`)
      .join(';');

  return {
    manager: dataSource.manager,
    sql,
    async sqlUnseen(text) {
      await sql(`${triggers('DISABLE')}; ${text}; ${triggers('ENABLE')}`);
    },
    async sentBy(write) {
      const before = receiver.requests.length;
      await write();
      await vi.waitFor(async () => {
        const [left] = await sql(`SELECT (SELECT count(*) FROM thorn_changes)
          + (SELECT count(*) FROM thorn_pending_messages)
          + (SELECT count(*) FROM thorn_deliveries WHERE due_at IS NOT NULL) AS n`);
        expect(left).toEqual({ n: '0' });
      });
      return receiver.requests
        .slice(before)
        .map((_, at) => receiver.json(before + at) as { type: string; data: unknown })
        .map(({ type, data }) => `${type} ${JSON.stringify(data)}`)
        .sort();
    },
    async close() {
      await app.close();
      await receiver.stop();
      await outside.destroy();
      await database.drop();
    },
  };
}
