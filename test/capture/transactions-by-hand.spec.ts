import { Column, Entity, PrimaryGeneratedColumn, type QueryRunner } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity('accounts')
@Webhooks<Account>({ payload: ({ name }) => ({ name }) })
@WebhookEvent<Account>('account.created', { on: 'create' })
@WebhookEvent<Account>('account.changed', { on: 'change' })
@WebhookEvent<Account>('account.removed', { on: 'delete' })
class Account {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

describe.each(DATABASES_ALIKE)('writes in a transaction begun by hand on %s', (kind) => {
  let rig: CaptureApp;
  let runner: QueryRunner;
  const names = async () => {
    const rows = await rig.dataSource.manager.find(Account, { order: { name: 'ASC' } });
    return rows.map(({ name }) => name);
  };
  const rename = (from: string, to: string) =>
    runner.manager.update(Account, { name: from }, { name: to });
  const begin = () => runner.query('BEGIN');

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Account]);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    const { manager } = rig.dataSource;
    await manager.createQueryBuilder().delete().from(Account).callListeners(false).execute();
    await manager.insert(Account, [{ name: 'a' }, { name: 'b' }]);
    runner = rig.dataSource.createQueryRunner();
    rig.received();
    rig.strategy.staged.length = 0;
  });
  afterEach(async () => {
    rig.strategy.failure = undefined;
    await runner.query('ROLLBACK').catch(() => undefined);
    await runner.release();
  });

  it.each([
    'BEGIN',
    'begin',
    ...(kind === 'sqlite'
      ? ['BEGIN IMMEDIATE', '-- ours\n BEGIN']
      : ['START TRANSACTION', ' /* of * ours */ start  transaction']),
  ])('are rolled back with it, and send nothing: %s', async (sql) => {
    await runner.query(sql);
    await rename('a', 'z');
    await runner.manager.delete(Account, { name: 'b' });
    await runner.manager.insert(Account, { name: 'c' });
    await runner.query('ROLLBACK');
    expect(await names()).toEqual(['a', 'b']);
    expect(rig.received()).toEqual([]);
  });

  it.each(kind === 'mariadb' ? ['COMMIT'] : ['COMMIT', 'end;'])(
    'are sent after its end, staged in it: %s',
    async (sql) => {
      await begin();
      await rename('a', 'z');
      await runner.manager.delete(Account, { name: 'b' });
      await runner.manager.insert(Account, [{ name: 'c' }, { name: 'd' }]);
      expect(rig.received()).toEqual([]);
      expect(rig.strategy.staged).toHaveLength(4);
      expect(rig.strategy.stagedBy.at(-1)?.queryRunner).toBe(runner);
      await runner.query(sql);
      expect(await names()).toEqual(['c', 'd', 'z']);
      expect(rig.received()).toEqual([
        'account.changed {"name":"z"}',
        'account.removed {"name":"b"}',
        'account.created {"name":"c"}',
        'account.created {"name":"d"}',
      ]);
    },
  );

  it('send nothing of a savepoint that was rolled back', async () => {
    await begin();
    await rename('a', 'y');
    await runner.query('SAVEPOINT one');
    await rename('y', 'z');
    await runner.query('ROLLBACK TO SAVEPOINT one');
    await runner.query('savepoint two');
    await rename('b', 'c');
    await runner.query('RELEASE SAVEPOINT two');
    await runner.query('COMMIT');
    expect(await names()).toEqual(['c', 'y']);
    expect(rig.received()).toEqual([
      'account.changed {"name":"y"}',
      'account.changed {"name":"c"}',
    ]);
  });

  it.each(kind === 'sqlite' ? [] : ['AND CHAIN', 'and  chain'])(
    'are in the next one, which its end has begun: %s',
    async (chain) => {
      await begin();
      await rename('a', 'y');
      await runner.query(`COMMIT ${chain}`);
      expect(rig.received()).toEqual(['account.changed {"name":"y"}']);
      await rename('y', 'z');
      await runner.query(`ROLLBACK ${chain}`);
      await rename('b', 'c');
      await runner.query('ROLLBACK');
      expect(await names()).toEqual(['b', 'y']);
      expect(rig.received()).toEqual([]);
    },
  );

  it('are staged in it by save() without a transaction of its own', async () => {
    await begin();
    await runner.manager.save(Account, { name: 'c' }, { transaction: false });
    await runner.query('ROLLBACK');
    expect(rig.received()).toEqual([]);
    await begin();
    await runner.manager.save(Account, { name: 'd' }, { transaction: false });
    await runner.query('COMMIT');
    expect(await names()).toEqual(['a', 'b', 'd']);
    expect(rig.received()).toEqual(['account.created {"name":"d"}']);
  });

  it('are rejected where they cannot be staged', async () => {
    await begin();
    rig.strategy.failure = new Error('No room');
    await expect(rename('a', 'z')).rejects.toThrow('No room');
    await expect(runner.manager.insert(Account, { name: 'c' })).rejects.toThrow('No room');
    rig.strategy.failure = undefined;
    await runner.query('ROLLBACK');
    expect(await names()).toEqual(['a', 'b']);
    expect(rig.received()).toEqual([]);
  });

  it('send what is stored when a save() of TypeORM meets the transaction', async () => {
    await begin();
    await rename('a', 'z');
    // On PostgreSQL and MariaDB its COMMIT is one of everything, on SQLite its BEGIN fails: as without this library.
    const saved = await runner.manager.save(Account, { name: 'c' }).catch(() => undefined);
    await runner.query('ROLLBACK');
    expect(saved === undefined).toBe(kind === 'sqlite');
    expect(await names()).toEqual(saved === undefined ? ['a', 'b'] : ['b', 'c', 'z']);
    expect(rig.received()).toEqual(
      saved === undefined ? [] : ['account.changed {"name":"z"}', 'account.created {"name":"c"}'],
    );
  });

  it('have a transaction of their own again after it', async () => {
    await begin();
    await rename('a', 'y');
    await runner.query('COMMIT');
    rig.received();
    rig.queries();
    await rename('y', 'z');
    expect(rig.queries()).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(BEGIN|START) TRANSACTION/)]),
    );
    expect(rig.received()).toEqual(['account.changed {"name":"z"}']);
  });

  it('wait for nothing on a connection of others', async () => {
    const { manager } = rig.dataSource;
    const [one, other] = await manager.find(Account, { order: { name: 'ASC' } });
    await begin();
    await runner.manager.update(Account, one!.id, { name: 'z' });
    const isOne = kind === 'sqlite';
    await manager.update(Account, other!.id, { name: 'c' });
    expect(rig.received()).toEqual(isOne ? [] : ['account.changed {"name":"c"}']);
    await runner.query('COMMIT');
    expect(rig.received()).toEqual([
      'account.changed {"name":"z"}',
      ...(isOne ? ['account.changed {"name":"c"}'] : []),
    ]);
  });
});

describe('a transaction begun by hand on PostgreSQL', () => {
  let rig: CaptureApp;
  beforeAll(async () => {
    rig = await openCaptureApp('postgres', [Account]);
  });
  afterAll(() => rig.close());

  it('sends nothing when its COMMIT is a ROLLBACK', async () => {
    await rig.dataSource.manager.insert(Account, { name: 'a' });
    rig.received();
    const runner = rig.dataSource.createQueryRunner();
    await runner.query('BEGIN');
    await runner.manager.update(Account, { name: 'a' }, { name: 'z' });
    await expect(runner.query('SELECT 1 / 0')).rejects.toThrow(/zero/);
    await runner.query('COMMIT');
    await runner.release();
    expect(await rig.dataSource.manager.countBy(Account, { name: 'a' })).toBe(1);
    expect(rig.received()).toEqual([]);
  });

  it('is known by its status, whatever has begun it', async () => {
    const runner = rig.dataSource.createQueryRunner();
    const client: { query(sql: string): Promise<unknown> } = await runner.connect();
    await client.query('SELECT 1; BEGIN');
    await runner.manager.insert(Account, { name: 'b' });
    await client.query('ROLLBACK');
    await runner.release();
    expect(await rig.dataSource.manager.countBy(Account, { name: 'b' })).toBe(0);
    expect(rig.received()).toEqual([]);
  });
});
