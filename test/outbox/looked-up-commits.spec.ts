import type { DataSource, QueryRunner } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Dialect } from '../../lib/database/dialect.js';
import { type JoinedTransaction, SqlClient } from '../../lib/database/sql-client.js';
import { JoinedTransactions } from '../../lib/dispatch/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { DataSourceClient } from '../../lib/typeorm/data-source-client.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';

/** So long that no claim finds a message within a test. */
const PATIENT = { pollInterval: 120_000, lease: 60_000 };

/** A client that tells nothing of what becomes of a transaction. */
class SilentClient extends SqlClient<QueryRunner> {
  readonly name = 'Silent';
  readonly commits = 'looked up';
  readonly #known: DataSourceClient;

  constructor(dataSource: DataSource) {
    super();
    this.#known = new DataSourceClient(dataSource);
  }

  override get dialect(): Dialect {
    return this.#known.dialect;
  }

  override table(name: string) {
    return this.#known.table(name);
  }

  override driver() {
    return this.#known.driver();
  }

  override async join(runner: QueryRunner): Promise<JoinedTransaction> {
    return { ...this.#known.join(runner.manager), client: this };
  }
}

describe.each(['postgres', 'mariadb'] as const)('commits that nobody tells of, on %s', (kind) => {
  let place: TestDatabase;
  let receiver: ScriptedReceiver;
  let app: OutboxApp;
  let client: SilentClient;
  let runner: QueryRunner;

  beforeEach(async () => {
    [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
    app = await openOutboxApp(place, {
      ...PATIENT,
      clientOf: (dataSource) => (client = new SilentClient(dataSource)),
    });
    await app.subscribers.create(subscriber(receiver.url));
    runner = app.dataSource.createQueryRunner();
  });
  afterEach(async () => {
    await runner.release();
    await app.close();
    await receiver.stop();
    await place.drop();
  });

  const begin = () => runner.startTransaction();
  async function stage(id: string): Promise<void> {
    const transactions = new JoinedTransactions(client, app.pipeline);
    expect(await transactions.enlist(app.message({ id }), runner)).toBe(true);
  }

  it('releases a message when its row can be seen, and nothing before', async () => {
    await begin();
    await stage('late');
    await app.send({ id: 'early' });
    await vi.waitFor(() => expect(receiver.received.map(({ id }) => id)).toEqual(['early']));
    await runner.commitTransaction();
    await vi.waitFor(() =>
      expect(receiver.received.map(({ id }) => id)).toEqual(['early', 'late']),
    );
    await app.until('SELECT id FROM thorn_pending_messages', (rows) => rows.length === 0);
  });

  it('sends nothing that was rolled back', async () => {
    await begin();
    await stage('undone');
    await runner.rollbackTransaction();
    await app.send({ id: 'fence' });
    await vi.waitFor(() => expect(receiver.received.map(({ id }) => id)).toEqual(['fence']));
    expect(await app.rows('SELECT id FROM thorn_messages')).toHaveLength(1);
  });

  it('leases a message for one poll interval until it is seen, and for the whole lease then', async () => {
    const due = async () => {
      const [row] = await runner.manager.query<{ due_at: string }[]>(
        'SELECT due_at FROM thorn_pending_messages',
      );
      return Number(row!.due_at) - app.clock.now();
    };
    await app.close();
    app = await openOutboxApp(place, {
      pollInterval: 1000,
      lease: 30_000,
      synchronize: false,
      clientOf: (dataSource) => (client = new SilentClient(dataSource)),
    });
    await app.subscribers.create(subscriber(receiver.url));
    runner = app.dataSource.createQueryRunner();
    receiver.answer('hang');
    await begin();
    await stage('leased');
    expect(await due()).toBeLessThanOrEqual(1000);
    await runner.commitTransaction();
    await vi.waitFor(async () => expect(await due()).toBeGreaterThan(20_000));
    // Ends the request that hangs, for which the application would wait when it closes.
    await receiver.stop();
  });
});

describe('a strategy that cannot look up commits', () => {
  it('refuses a transaction whose commit nobody tells of', async () => {
    const pipeline = { looksUpCommits: false } as never;
    const client = { name: 'Silent' } as SqlClient;
    await expect(
      new JoinedTransactions(client, pipeline).enlist({} as never, {}),
    ).rejects.toMatchObject({ code: 'THORN_OUTBOX_REQUIRED' });
  });
});
