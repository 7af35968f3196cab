import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { outbox, ThornModule, WebhookDispatcher } from '../../../lib/index.js';
import { seededRandom } from '../../../lib/testing/conformance/seeded-random.js';
import { LOOPBACK_RECIPIENTS } from '../../../lib/testing/index.js';
import { SQL_CLIENTS } from '../sql-clients.js';

/** What a process is told that sends in transactions at random, and delivers. */
export interface ClientTransactionsTask {
  /** Of the kind of client. */
  readonly client: string;
  readonly url: string;
  readonly receiver: string;
  readonly pollInterval: number;
  readonly seed: number;
  readonly transactions: number;
}

const AT_ONCE = 4;
const task = JSON.parse(process.argv[2]!) as ClientTransactionsTask;
const kind = SQL_CLIENTS.find(({ name }) => name === task.client)!;
const client = await kind.open(task.url, 2 * AT_ONCE);
const app = await NestFactory.createApplicationContext(
  ThornModule.forRoot({
    database: kind.define(client.bare, task.url),
    dispatch: outbox({ pollInterval: task.pollInterval }),
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
  // The COMMIT becomes a ROLLBACK.
  (tx) => kind.execute(tx, 'SELECT 1 / 0').catch(() => undefined),
  // The COMMIT fails. Prisma 6 keeps its connection then, and runs out of them.
  ...(task.client === 'Prisma 6'
    ? []
    : [(tx: never, id: string) => write(tx, `${id}-unpaid`, "'nobody'")]),
];

async function transact(id: string): Promise<void> {
  const end = ENDINGS[Math.floor(random() * ENDINGS.length)]!;
  const work = client.begin(async (tx) => {
    await write(tx, id);
    // Beside the transaction, whatever becomes of it.
    await kind.execute(client.bare as never, `INSERT INTO beside VALUES ('${id}')`);
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
