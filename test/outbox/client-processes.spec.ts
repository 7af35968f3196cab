import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import type { FreshDatabase } from '../services/database.js';
import { watchLateness } from '../services/lateness.js';
import { CLIENT_DATABASES, type OwnConnection } from '../support/client-databases.js';
import { clientEnvironment } from '../support/client-program.js';
import { printFigures } from '../support/print-figures.js';
import type { ClientTransactionsTask } from '../support/processes/client-transactions.js';
import { migrate } from '../support/sql-clients.js';

const POLL_INTERVAL = 500;
const IS_LONG = process.env['THORN_LONG'] === '1';
const TRANSACTIONS = IS_LONG ? 1000 : 100;
/** TypeORM has programs of its own, and a release of pg that does not tell of transactions is the same as pg. */
const OTHERS = new Set(['TypeORM', 'pg 8.16']);
const CLIENTS = CLIENT_DATABASES.flatMap(({ kinds, ...place }) =>
  kinds.map(({ name }) => ({ ...place, client: name })),
).filter(({ client }) => (IS_LONG ? !OTHERS.has(client) : client === 'Prisma 7'));

describe.each(CLIENTS)('two processes that send in transactions of $client', (kind) => {
  const { client, database } = kind;
  let place: FreshDatabase;
  let asked: OwnConnection;
  let receiver: ScriptedReceiver;
  let children: readonly Child[] = [];

  beforeAll(async () => {
    const [program, environment] = await Promise.all([
      bundleProgram('test/support/processes/client-transactions.ts'),
      clientEnvironment(client),
    ]);
    [place, receiver] = [await kind.create(), await ScriptedReceiver.start()];
    await migrate(place.url);
    asked = kind.connect(place.url);
    const paid = database === 'mysql' ? '' : ' REFERENCES purchase DEFERRABLE INITIALLY DEFERRED';
    const id = 'id varchar(50) PRIMARY KEY';
    await asked.query(`CREATE TABLE purchase (${id}, paid_by varchar(50)${paid})`);
    await asked.query(`CREATE TABLE beside (${id})`);
    children = [1, 2].map((seed) => {
      const task: ClientTransactionsTask = {
        ...{ client, url: place.url, receiver: receiver.url, pollInterval: POLL_INTERVAL },
        ...{ seed, transactions: TRANSACTIONS },
      };
      return startChild(program, JSON.stringify(task), environment);
    });
  });
  afterAll(async () => {
    await Promise.all(children.map((child) => child.end('SIGKILL')));
    await receiver?.stop();
    await asked?.end();
    await place?.drop();
  });

  const ids = async (table: string) =>
    (await asked.query(`SELECT id FROM ${table} ORDER BY id`)).map(({ id }) => String(id));
  const received = () =>
    receiver.received.map(({ json }) => (json as { data: { id: string } }).data.id);
  const pending = async () => [
    ...(await ids('thorn_pending_messages')),
    ...(await ids('thorn_deliveries WHERE due_at IS NOT NULL')),
  ];

  it('send all that was committed, and nothing else', async () => {
    await Promise.all(children.map((child) => child.printed('done')));
    await expect.poll(pending).toEqual([]);
    const committed = await ids('purchase');
    await receiver.waitFor(committed.length);

    expect([...new Set(received())].sort()).toEqual(committed.toSorted());
    expect(committed.length).toBeGreaterThan(TRANSACTIONS);
    expect(await ids('beside')).toHaveLength(database === 'sqlite' ? 0 : 2 * TRANSACTIONS);
    const duplicates = receiver.received.length - committed.length;
    printFigures(`transactions of ${client}`, { committed: committed.length, duplicates });
  }, 300_000);

  it('take over what one of them leaves that dies between its COMMIT and the release', async () => {
    const before = receiver.received.length;
    const [victim, other] = children;
    // Where nobody tells of commits, it may take the message over at once.
    other!.process.kill('SIGSTOP');
    victim!.process.kill('SIGUSR2');
    await victim!.exited;
    expect(await ids('purchase')).toContain('1-last');
    expect(receiver.received).toHaveLength(before);

    other!.process.kill('SIGCONT');
    const since = performance.now();
    const lateness = watchLateness();
    await receiver.waitFor(before + 1);
    const took = performance.now() - since;
    expect(received().slice(before)).toEqual(['1-last']);
    expect(took).toBeLessThan(2 * POLL_INTERVAL + 1000 + lateness());
    printFigures(`taken over from ${client}`, { milliseconds: Math.round(took) });
  });
});
