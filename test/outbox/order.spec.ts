import type { EntityManager } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../lib/message/index.js';
import { seededRandom } from '../support/seeded-random.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import {
  type AppTransaction,
  type ClientOutbox,
  openClientOutbox,
} from '../support/apps/client-outbox.js';
import { subscriber } from '../support/apps/outbox-app.js';

interface On {
  readonly kind: DatabaseKind;
  readonly type?: 'mysql';
  /** Default: TypeORM. */
  readonly client?: string;
}

const IS_LONG = process.env['THORN_LONG'] === '1';

const SERVERS: readonly On[] = [
  { kind: 'postgres' },
  { kind: 'mariadb' },
  { kind: 'mariadb', type: 'mysql' },
];
const CLIENTS: readonly On[] = [
  ...['Prisma 7', 'Drizzle 0.45'].map((client): On => ({ kind: 'postgres', client })),
  ...['Prisma 7 on MariaDB', 'Drizzle 0.45 on MariaDB', 'Kysely on MariaDB'].map((client): On => ({
    kind: 'mariadb',
    client,
  })),
];
const TRANSACTIONS = IS_LONG ? 600 : 120;

let place: TestDatabase;
let receiver: ScriptedReceiver;
let app: ClientOutbox;

async function open({ kind, client, ...more }: On): Promise<void> {
  place = await createDatabase(kind);
  app = await openClientOutbox({ options: { ...place.options, ...more } as never }, { client });
}

beforeEach(async () => {
  receiver = await ScriptedReceiver.start();
});
afterEach(async () => {
  await app.close();
  await receiver.stop();
  await place.drop();
});

const keyed = (key: string, id?: string): Message =>
  app.message({ orderBy: { key }, ...(id === undefined ? {} : { id }) });
const numbers = (messages: readonly Message[]) => messages.map(({ sequence }) => sequence);
const inTransaction = async (messages: readonly Message[]) => {
  await app.begin(async ({ joined }) => app.strategy.stage(messages, joined));
  await app.strategy.release(messages);
  return numbers(messages);
};
const alone = async (messages: readonly Message[]) => {
  await app.pipeline.send(messages);
  return numbers(messages);
};
/** Numbers as they are stored, by key. */
const stored = async (): Promise<Record<string, number[]>> => {
  const rows = await app.rows(
    'SELECT order_key, sequence FROM thorn_messages WHERE order_key IS NOT NULL ORDER BY order_key, sequence',
  );
  const found: Record<string, number[]> = {};
  for (const row of rows) (found[row['order_key'] as string] ??= []).push(Number(row['sequence']));
  return found;
};

const ON: readonly On[] = [{ kind: 'file' }, { kind: 'memory' }, ...SERVERS];
describe.each<On>([...ON, ...(IS_LONG ? CLIENTS : [])])('on %j', (on) => {
  beforeEach(() => open(on));

  it('numbers the messages of each key, in a transaction and without one', async () => {
    const [a, b] = ['article:1', 'article:ä 2'];
    expect(await inTransaction([keyed(a), app.message(), keyed(b), keyed(a)])).toEqual([
      1,
      null,
      1,
      2,
    ]);
    expect(await alone([keyed(a), keyed(b), app.message(), keyed(b)])).toEqual([3, 2, null, 3]);
    expect(await inTransaction([app.message()])).toEqual([null]);
    expect(await stored()).toEqual({ [a]: [1, 2, 3], [b]: [1, 2, 3] });
  });

  it('sends key and number, also when the message is read from its row', async () => {
    await app.subscribers.create(subscriber(receiver.url));
    await inTransaction([keyed('article:ä', 'twice')]);
    const webhooks = await receiver.waitFor(1);
    expect(webhooks[0]!.headers).toMatchObject({
      'hook-key': 'article:%C3%A4',
      'hook-sequence': '1',
    });
    const [row] = await app.strategy.store.messages.load(['twice']);
    const read = app.strategy.store.rows.messageOf(row!)!;
    expect([read.key, read.sequence]).toEqual(['article:ä', 1]);
    await inTransaction([app.message({ id: 'plain' })]);
    const [other] = await app.strategy.store.messages.load(['plain']);
    const plain = app.strategy.store.rows.messageOf(other!)!;
    expect([plain.key, plain.sequence]).toEqual([null, null]);
  });

  it('gives no number to what was there already, and leaves no hole for it', async () => {
    for (const [at, send] of [inTransaction, alone].entries()) {
      const [a, b] = [`a${at}`, `b${at}`];
      expect(await send([keyed(a, `x${at}`)])).toEqual([1]);
      await send([keyed(a, `x${at}`)]);
      await send([keyed(a, `x${at}`), keyed(b, `y${at}`)]);
      const mixed = [keyed(a), keyed(a, `x${at}`), keyed(a), keyed(b, `y${at}`), keyed(b)];
      const [first, , second, , third] = await send(mixed);
      expect([first, second, third]).toEqual([2, 3, 2]);
      expect(await send([keyed(a), keyed(b)])).toEqual([4, 3]);
      expect(await stored()).toMatchObject({ [a]: [1, 2, 3, 4], [b]: [1, 2, 3] });
    }
  });

  it('gives numbers back that a transaction took which is rolled back', async () => {
    await inTransaction([keyed('a')]);
    const lost = app.begin(async ({ joined }) => {
      await app.strategy.stage([keyed('a'), keyed('new')], joined);
      throw new Error('rolled back');
    });
    await expect(lost).rejects.toThrow('rolled back');
    expect(await inTransaction([keyed('a'), keyed('new')])).toEqual([2, 1]);
  });

  it('numbers thousands at once', async () => {
    const messages = Array.from({ length: 2500 }, (_, at) => keyed(`key ${at % 7}`));
    await inTransaction(messages);
    expect(numbers(messages)).toEqual(messages.map((_, at) => Math.floor(at / 7) + 1));
    const more = Array.from({ length: 40 }, (_, at) => keyed(`key ${at % 4}`));
    expect(await alone(more)).toEqual(
      more.map((_, at) => Math.floor(at / 4) + 1 + (at % 4 === 0 ? 358 : 357)),
    );
  });

  // The data source sees no statement of another client; staging-clients.spec.ts counts those.
  if (on.client !== undefined) return;

  it('costs a message without a key no statement', async () => {
    app.log.statements.length = 0;
    await inTransaction([app.message()]);
    await alone([app.message()]);
    expect(app.log.statements.filter((sql) => sql.includes('thorn_sequences'))).toEqual([]);
  });
});

describe.each<On>(SERVERS)('transactions of TypeORM that overlap, on %j', (on) => {
  beforeEach(() => open(on));

  const queued = async (key: string, tx: AppTransaction) => {
    const message = keyed(key);
    // A read, which begins what the transaction sees, and a write.
    await tx.execute('SELECT * FROM thorn_sequences');
    await tx.execute(`INSERT INTO article (title) VALUES ('${key}')`);
    await tx.send(message);
    return message;
  };

  it('are numbered as they commit, whatever they have written first', async () => {
    await inTransaction([keyed('a')]);
    const first = barrier();
    const second = barrier();
    let early!: Message;
    let late!: Message;
    const slow = app.begin(async (tx) => {
      early = await queued('a', tx);
      first.open();
      await second.passed;
    });
    await first.passed;
    await app.begin(async (tx) => {
      late = await queued('a', tx);
    });
    second.open();
    await slow;
    expect([late.sequence, early.sequence]).toEqual([2, 3]);
    expect(await stored()).toEqual({ a: [1, 2, 3] });
  });
});

const OVERLAPPING = [...SERVERS, ...(IS_LONG ? CLIENTS : CLIENTS.slice(0, 1))];
describe.each<On>(OVERLAPPING)('transactions that overlap, on %j', (on) => {
  beforeEach(() => open(on));

  /** Written at once: TypeORM may let messages travel with the COMMIT, but not those of a savepoint. */
  const stageAtOnce = (messages: readonly Message[], tx: AppTransaction) =>
    tx.nested(async ({ joined }) => app.strategy.stage(messages, joined));

  it('wait for each other for the same key, and for no other', async () => {
    const written = barrier();
    const over = barrier();
    const held = keyed('a');
    const holds = app.begin(async (tx) => {
      await stageAtOnce([held], tx);
      written.open();
      await over.passed;
    });
    await written.passed;

    const waiting = keyed('a');
    let isWritten = false;
    const waits = app
      .begin(async ({ joined }) => app.strategy.stage([waiting], joined))
      .then(() => (isWritten = true));
    await waitsForLock(app.dataSource.manager, on);
    // Whatever the hashes of the keys are: no gap between rows is locked.
    const others = Array.from({ length: 20 }, (_, at) => `other ${at}`);
    expect(await inTransaction(others.map((other) => keyed(other)))).toEqual(others.map(() => 1));
    expect(await inTransaction(others.map((other) => keyed(other)))).toEqual(others.map(() => 2));
    expect(isWritten).toBe(false);

    over.open();
    await Promise.all([holds, waits]);
    expect(numbers([held, waiting])).toEqual([1, 2]);
  });

  it('give numbers back although other messages are finished meanwhile', async () => {
    const other = keyed('other');
    const repeated = keyed('a', 'repeated');
    const stage = (messages: readonly Message[]) =>
      app.begin(async ({ joined }) => app.strategy.stage(messages, joined));
    await stage([other, repeated]);

    const [before, after] = [keyed('a'), keyed('a')];
    await app.begin(async ({ joined, execute }) => {
      // From here on a transaction of MariaDB sees what there is now.
      await execute('SELECT id FROM thorn_pending_messages');
      await app.strategy.release([other]);
      // A worker takes the repeated one as well where nobody tells of its commit.
      const pending = () => app.rows('SELECT id FROM thorn_pending_messages');
      await expect.poll(async () => (await pending()).length).toBeLessThan(2);
      await app.strategy.stage([before, keyed('a', 'repeated'), after], joined);
    });
    expect(numbers([before, after])).toEqual([2, 3]);
    expect(await stored()).toEqual({ a: [1, 2, 3], other: [1] });
  });

  it('are numbered without holes, in the order of their commits', async () => {
    await inTransaction(['a', 'b', 'c'].map((key) => keyed(key)));
    const random = seededRandom(17);
    let tick = 0;
    const done: { message: Message; writtenAt: number | null; committingAt: number }[] = [];
    const one = async (): Promise<void> => {
      const keys = ['a', 'b', 'c'].filter(() => random() < 0.6);
      if (random() < 0.5) keys.reverse();
      const messages = keys.flatMap((key) =>
        Array.from({ length: random() < 0.3 ? 2 : 1 }, () => keyed(key)),
      );
      const isLost = random() < 0.3;
      // Another client than TypeORM writes at once anyway.
      const isAtOnce = random() < 0.7 || on.client !== undefined;
      const marks: (typeof done)[number][] = [];
      await app
        .begin(async (tx) => {
          await tx.execute(`INSERT INTO article (title) VALUES ('x')`);
          if (isAtOnce) await stageAtOnce(messages, tx);
          else await app.strategy.stage(messages, tx.joined);
          const writtenAt = isAtOnce ? ++tick : null;
          if (isLost) throw new Error('rolled back');
          marks.push(...messages.map((message) => ({ message, writtenAt, committingAt: ++tick })));
        })
        .then(
          () => done.push(...marks),
          (error: Error) => expect(error.message).toBe('rolled back'),
        );
    };
    for (let count = 0; count < TRANSACTIONS; count += 6) {
      await Promise.all(Array.from({ length: 6 }, one));
    }
    expect(done.length).toBeGreaterThan(TRANSACTIONS / 2);
    for (const key of ['a', 'b', 'c']) {
      const ordered = done
        .filter(({ message }) => message.key === key)
        .sort((left, right) => left.message.sequence! - right.message.sequence!);
      expect(ordered.map(({ message }) => message.sequence)).toEqual(
        ordered.map((_, at) => at + 2),
      );
      for (const [at, { writtenAt, committingAt }] of ordered.entries()) {
        const previous = ordered[at - 1];
        if (writtenAt === null) continue;
        if (previous === undefined || previous.writtenAt === writtenAt) continue;
        // The next one could be written once the one before was committed.
        expect(writtenAt).toBeGreaterThan(previous.committingAt);
        expect(committingAt).toBeGreaterThan(previous.committingAt);
      }
    }
  });
});

it('numbers messages again that a rollback on SQLite took along', async () => {
  await open({ kind: 'file' });
  let sent!: Promise<unknown>;
  const message = keyed('a');
  const lost = app.begin(async ({ joined, execute }) => {
    await execute(`INSERT INTO article (title) VALUES ('x')`);
    await app.strategy.stage([keyed('a')], joined);
    await app.strategy.stage([message], undefined);
    sent = app.strategy.release([message]);
    throw new Error('rolled back');
  });
  await expect(lost).rejects.toThrow('rolled back');
  await sent;
  await app.until('SELECT sequence FROM thorn_messages', (rows) => rows.length === 1);
  expect(await stored()).toEqual({ a: [1] });
  expect(message.sequence).toBe(1);
});

function barrier(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open!: () => void;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open, passed };
}

/**
 * Resolves when a session of this database waits for a lock.
 *
 * @param manager in no transaction: within one, PostgreSQL repeats its first answer
 */
async function waitsForLock(manager: EntityManager, { kind }: On): Promise<void> {
  const sql =
    kind === 'postgres'
      ? `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      : `SELECT trx_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'`;
  await expect
    .poll(async () => (await manager.query<unknown[]>(sql)).length, {
      // MariaDB answers what it knew when it is asked more often than ten times a second.
      interval: 300,
    })
    .toBeGreaterThan(0);
}
