import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { outbox, ThornModule } from '../../../lib/index.js';
import { LOOPBACK_RECIPIENTS } from '../../../lib/testing/index.js';
import { thornEntities } from '../../../lib/typeorm/index.js';
import { seededRandom } from '../seeded-random.js';
import { startTablesApp } from '../apps/tables-app.js';
import { CLIENT_DATABASES } from '../client-databases.js';
import {
  Article,
  articles,
  type ArticleWrite,
  type ArticleWriter,
  dataSourceOptions,
  openWriters,
} from '../programs/article-writers.js';

/** What a process is told that writes articles at random, and delivers what triggers have written down. */
export interface TableWritesTask {
  readonly database: (typeof CLIENT_DATABASES)[number]['database'];
  /** The client of the application, or TypeORM. All of them write. */
  readonly client: string;
  readonly url: string;
  readonly seed: number;
  /** Articles are of these ids. */
  readonly rows: number;
}

const task = JSON.parse(process.argv[2]!) as TableWritesTask;
const place = CLIENT_DATABASES.find(({ database }) => database === task.database)!;
const options = { lease: 1500, changePollInterval: 20, pollInterval: 100 };
const dataSource = task.client === 'TypeORM' ? await startTypeOrmApp() : undefined;
if (dataSource === undefined) {
  const { client } = task;
  await startTablesApp(place, task.url, { client, outbox: options, tables: [articles] });
}
const random = seededRandom(task.seed);
const any = (count: number) => Math.floor(random() * count);

async function startTypeOrmApp(): Promise<DataSource> {
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        ...dataSourceOptions(place, task.url),
        entities: [Article, ...thornEntities],
      }),
      ThornModule.forRoot({
        ...{ capture: 'triggers', recipients: LOOPBACK_RECIPIENTS, dispatch: outbox(options) },
      }),
    ],
  }).compile();
  const app = await module.init();
  return app.get(DataSource);
}

function anyWrite(): ArticleWrite {
  const id = 1 + any(task.rows);
  const title = ['NEW', 'PAID', 'SENT'][any(3)]!;
  switch (any(6)) {
    case 0:
    case 1:
      return { does: 'create', id, title };
    case 2:
      return { does: 'rename', id, title };
    case 3:
      return { does: 'add', id, total: any(3) };
    case 4:
      return { does: 'addUpTo', id, total: 1 };
    default:
      return { does: 'remove', id };
  }
}

const wrote = new Set<string>();

async function transact(writer: ArticleWriter): Promise<void> {
  const writes = Array.from({ length: 1 + any(4) }, anyWrite);
  const isUndone = random() < 0.2;
  await writer.transact(writes, isUndone);
  if (wrote.has(writer.name)) return;
  wrote.add(writer.name);
  writeSync(1, `wrote by ${writer.name}\n`);
}

const writers = await openWriters(place, task.url, dataSource);
const over = new AbortController();
// SQLite has one writer: another one of this process would keep it from going on.
const actors = Array.from({ length: task.database === 'sqlite' ? 1 : writers.length }, () => 0).map(
  async (_, at) => {
    while (!over.signal.aborted) {
      const writer = task.database === 'sqlite' ? writers[any(writers.length)]! : writers[at]!;
      await transact(writer).catch(() => undefined);
      // Others get their turn, and receivers as well.
      await new Promise((resolve) => setTimeout(resolve, any(10)));
    }
  },
);
process.on('SIGTERM', () => {
  over.abort();
  void Promise.all(actors).then(() => writeSync(1, 'idle\n'));
});
writeSync(1, 'ready\n');
setInterval(() => undefined, 1000);
