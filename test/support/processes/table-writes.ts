import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { seededRandom } from '../../../lib/testing/conformance/seeded-random.js';
import { startTablesApp } from '../apps/tables-app.js';
import { CLIENT_DATABASES } from '../client-databases.js';

/** What a process is told that writes orders at random, and delivers what triggers have written down. */
export interface TableWritesTask {
  readonly database: (typeof CLIENT_DATABASES)[number]['database'];
  /** Of the kind of client. */
  readonly client: string;
  readonly url: string;
  readonly seed: number;
  /** Orders are of these ids. */
  readonly rows: number;
}

const task = JSON.parse(process.argv[2]!) as TableWritesTask;
const place = CLIENT_DATABASES.find(({ database }) => database === task.database)!;
const kind = place.kinds.find(({ name }) => name === task.client)!;
const { client } = await startTablesApp(place, task.url, {
  client: task.client,
  outbox: { lease: 1500, changePollInterval: 20 },
});
const random = seededRandom(task.seed);
const any = (count: number) => Math.floor(random() * count);
const id = () => 1 + any(task.rows);

/** SQL that changes some orders. One that removes an order is the last of its transaction. */
const WRITES: readonly (() => string)[] = [
  () => `INSERT INTO orders VALUES (${id()}, 'NEW', ${any(100)})`,
  () => `UPDATE orders SET total = total + ${any(3)} WHERE id = ${id()}`,
  () => `UPDATE orders SET state = '${['PAID', 'SENT'][any(2)]}' WHERE id = ${id()}`,
  () => `UPDATE orders SET total = total + 1 WHERE id <= ${id()}`,
];

async function transact(): Promise<void> {
  await client.begin(async (tx) => {
    for (let left = 1 + any(4); left > 0; left--)
      await kind.execute(tx, WRITES[any(WRITES.length)]!());
    if (random() < 0.3) await kind.execute(tx, `DELETE FROM orders WHERE id = ${id()}`);
    if (random() < 0.2) throw new Error('rolled back');
  });
}

const over = new AbortController();
const actors = Array.from({ length: task.database === 'sqlite' ? 1 : 2 }, async () => {
  while (!over.signal.aborted) {
    await transact().catch(() => undefined);
    // Others get their turn, and receivers as well.
    await new Promise((resolve) => setTimeout(resolve, any(10)));
  }
});
process.on('SIGTERM', () => {
  over.abort();
  void Promise.all(actors).then(() => writeSync(1, 'idle\n'));
});
writeSync(1, 'ready\n');
setInterval(() => undefined, 1000);
