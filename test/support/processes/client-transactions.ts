import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { outbox, ThornModule, WebhookDispatcher } from '../../../lib/index.js';
import { seededRandom } from '../seeded-random.js';
import { LOOPBACK_RECIPIENTS } from '../../../lib/testing/index.js';
import { CLIENT_DATABASES } from '../client-databases.js';

/** What a process is told that sends in transactions at random, and delivers. */
export interface ClientTransactionsTask {
  /** Of the kind of client. */
  readonly client: string;
  readonly url: string;
  readonly receiver: string;
  readonly pollInterval: number;
  readonly seed: number;
  readonly transactions: number;
  /** Default false. */
  readonly history?: { readonly lag: number };
}

const task = JSON.parse(process.argv[2]!) as ClientTransactionsTask;
const { database, kinds } = CLIENT_DATABASES.find(({ kinds }) =>
  kinds.some(({ name }) => name === task.client),
)!;
const kind = kinds.find(({ name }) => name === task.client)!;
/** After a COMMIT that fails, their connection is in that transaction for good, and no other can begin on it. */
const LEFT_OPEN = new Set([
  'Prisma 6',
  'Prisma 6 on SQLite',
  'Prisma 7 on SQLite',
  'Knex on SQLite',
]);
/** The clients of SQLite have one connection. */
const AT_ONCE = database === 'sqlite' ? 1 : 4;
const client = await kind.open(task.url, 2 * AT_ONCE);
const app = await NestFactory.createApplicationContext(
  ThornModule.forRoot({
    database: kind.define(client.bare, task.url),
    dispatch: outbox({ pollInterval: task.pollInterval, history: task.history ?? false }),
    recipients: LOOPBACK_RECIPIENTS,
    subscribers: { '*': { url: task.receiver } },
  }),
  { logger: false },
);
const dispatcher = app.get(WebhookDispatcher);
const random = seededRandom(task.seed);

/** What it sends stands in a table as well: what is committed there is committed here. */
async function write(tx: never, id: string, paidBy = 'NULL'): Promise<void> {
  await kind.execute(tx, `INSERT INTO purchase VALUES ('${id}', ${paidBy})`);
  await dispatcher.send('purchased', { id }, { tx });
}

const ENDINGS: readonly ((tx: never, id: string) => Promise<unknown>)[] = [
  async () => undefined,
  async () => {
    throw new Error('rolled back');
  },
  (tx, id) => kind.nested(tx, (inner) => write(inner, `${id}-inner`)),
  async (tx, id) => {
    const inner = kind.nested(tx, async (within) => {
      await write(within, `${id}-inner`);
      throw new Error('rolled back');
    });
    await inner.catch(() => undefined);
    await write(tx, `${id}-after`);
  },
  // On PostgreSQL, the COMMIT becomes a ROLLBACK.
  (tx) => kind.execute(tx, 'SELECT * FROM nothing').catch(() => undefined),
  // The COMMIT fails. MariaDB has no such constraints.
  ...(database === 'mysql' || LEFT_OPEN.has(task.client)
    ? []
    : [(tx: never, id: string) => write(tx, `${id}-unpaid`, "'nobody'")]),
];

async function transact(id: string): Promise<void> {
  const end = ENDINGS[Math.floor(random() * ENDINGS.length)]!;
  const work = client.begin(async (tx) => {
    await write(tx, id);
    // Beside the transaction, whatever becomes of it.
    if (database !== 'sqlite') {
      await kind.execute(client.bare as never, `INSERT INTO beside VALUES ('${id}')`);
    }
    await end(tx, id);
  });
  await work.catch(() => undefined);
}

process.once('SIGUSR2', () => {
  void client
    .begin((tx) => write(tx, `${task.seed}-last`))
    .then(() => process.kill(process.pid, 'SIGKILL'));
});
let next = 0;
const actor = async () => {
  while (next < task.transactions) await transact(`${task.seed}-${next++}`);
};
await Promise.all(Array.from({ length: AT_ONCE }, actor));
writeSync(1, 'done\n');
setInterval(() => undefined, 1000);
