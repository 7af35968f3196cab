import { Column, Entity, PrimaryGeneratedColumn, type QueryRunner } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';

@Entity('accounts')
@WebhookEvent<Account>('account', {
  on: ['create', 'change', 'delete'],
  payload: ({ name }, { on }) => ({ on, name }),
})
class Account {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

@Entity('notes')
class Note {
  @PrimaryGeneratedColumn() id!: number;
  @Column() text!: string;
}

describe.each(CAPTURE_DATABASES)('a transaction that was begun by hand on %s', (kind) => {
  let rig: CaptureApp;
  let runner: QueryRunner;
  const names = async () => {
    const rows = await rig.dataSource.manager.find(Account, { order: { name: 'ASC' } });
    return rows.map(({ name }) => name);
  };
  const refused = {
    code: 'THORN_TRANSACTION_BY_HAND',
    message: expect.stringMatching(
      /query\('BEGIN'\).*use dataSource\.transaction\(\) or queryRunner\.startTransaction\(\)/,
    ) as unknown,
  };

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Account, Note]);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    const { manager } = rig.dataSource;
    await manager.createQueryBuilder().delete().from(Account).callListeners(false).execute();
    await manager.insert(Account, [{ name: 'a' }, { name: 'b' }]);
    runner = rig.dataSource.createQueryRunner();
    rig.received();
  });
  afterEach(async () => {
    await runner.query('ROLLBACK').catch(() => undefined);
    await runner.release();
  });

  it.each([
    'BEGIN',
    ...(kind === 'sqlite'
      ? ['BEGIN IMMEDIATE', '-- ours\n begin']
      : ['START TRANSACTION', ' /* of * ours */ start  transaction']),
  ])('refuses writes by criteria before they are made: %s', async (sql) => {
    const { manager } = runner;
    await runner.query(sql);
    await expect(manager.update(Account, { name: 'a' }, { name: 'z' })).rejects.toMatchObject(
      refused,
    );
    await expect(manager.delete(Account, { name: 'b' })).rejects.toMatchObject(refused);
    await expect(manager.insert(Account, { name: 'c' })).rejects.toMatchObject(refused);
    await manager.insert(Note, { text: 'without events' });
    await runner.query('COMMIT');
    expect(await names()).toEqual(['a', 'b']);
    expect(rig.received()).toEqual([]);
  });

  it('refuses saves without a transaction of their own', async () => {
    const { manager } = runner;
    await runner.query('BEGIN');
    const saved = manager.save(Account, { name: 'c' }, { transaction: false });
    await expect(saved).rejects.toMatchObject(refused);
    await runner.query('ROLLBACK');
    expect(await names()).toEqual(['a', 'b']);
    expect(rig.received()).toEqual([]);
  });

  it('refuses saves that begin their own within', async () => {
    await runner.query('BEGIN');
    const saved = runner.manager.save(Account, { name: 'c' });
    // There such a BEGIN fails, without this library too.
    await expect(saved).rejects.toMatchObject(
      kind === 'sqlite' ? { message: /within a transaction/ } : refused,
    );
    await runner.query('COMMIT');
    expect(await names()).toEqual(['a', 'b']);
    expect(rig.received()).toEqual([]);
  });

  it('is over after its end', async () => {
    for (const end of ['COMMIT', 'ROLLBACK', ...(kind === 'mariadb' ? [] : ['end;'])]) {
      await runner.query('BEGIN');
      await runner.query(end);
      await runner.manager.update(Account, { name: 'a' }, { name: end });
      await runner.manager.update(Account, { name: end }, { name: 'a' });
      expect(rig.received()).toHaveLength(2);
    }
  });

  it.each(kind === 'sqlite' ? [] : ['COMMIT AND CHAIN', 'rollback work and  chain'])(
    'refuses them in the next one, which its end has begun: %s',
    async (sql) => {
      await runner.query('BEGIN');
      await runner.query(sql);
      await expect(runner.manager.insert(Account, { name: 'c' })).rejects.toMatchObject(refused);
    },
  );

  it('concerns no connection of others', async () => {
    if (kind === 'sqlite') return;
    await runner.query('BEGIN');
    await rig.dataSource.manager.insert(Account, { name: 'c' });
    expect(rig.received()).toEqual(['account {"on":"create","name":"c"}']);
  });

  it('has its like in savepoints: nothing is sent of what one rolls back', async () => {
    const undone = rig.dataSource.transaction(async (manager) => {
      await manager.save(Account, { name: 'c' });
      await manager.query('SAVEPOINT s');
      await manager.save(Account, { name: 'd' });
      await manager.query('ROLLBACK TO SAVEPOINT s');
    });
    if (kind === 'postgres') {
      await expect(undone).rejects.toMatchObject({
        code: 'THORN_TRANSACTION_BY_HAND',
        message: expect.stringMatching(
          /query\('ROLLBACK'\).*use transaction\(\) of its manager/,
        ) as unknown,
      });
      expect(await names()).toEqual(['a', 'b']);
      expect(rig.received()).toEqual([]);
    } else {
      // Their drivers tell nothing of it. Rows are read again before the commit.
      await undone;
      expect(await names()).toEqual(['a', 'b', 'c']);
      expect(rig.received()).toEqual(['account {"on":"create","name":"c"}']);
    }
  });

  it.each(['COMMIT', 'ROLLBACK'])('is what follows when %s ends one of TypeORM', async (end) => {
    const ended = rig.dataSource.transaction(async (manager) => {
      await manager.save(Account, { name: 'c' });
      await manager.query(end);
      await manager.save(Account, { name: 'd' });
    });
    await expect(ended).rejects.toMatchObject({
      code: expect.stringMatching(/^THORN_TRANSACTION_(?:ENDED|BY_HAND)$/) as unknown,
    });
    expect(rig.received()).toEqual([]);
  });

  it('is none where a savepoint by hand has nothing of events, or is released', async () => {
    await rig.dataSource.transaction(async (manager) => {
      await manager.query('SAVEPOINT s');
      await manager.insert(Note, { text: 'undone' });
      await manager.query('ROLLBACK TO SAVEPOINT s');
      await manager.save(Account, { name: 'c' });
      await manager.query('SAVEPOINT t');
      await manager.save(Account, { name: 'd' });
      await manager.query('RELEASE SAVEPOINT t');
    });
    expect(rig.received()).toHaveLength(2);
  });
});

it('takes no compound statement of MariaDB for the beginning of a transaction', async () => {
  const rig = await openCaptureApp('mariadb', [Account]);
  const runner = rig.dataSource.createQueryRunner();
  await runner.query('BEGIN NOT ATOMIC SET @one = 1; END');
  await runner.manager.insert(Account, { name: 'a' });
  expect(rig.received()).toEqual(['account {"on":"create","name":"a"}']);
  await runner.query('SET autocommit = 0');
  await runner.query(`INSERT INTO accounts (name) VALUES ('b')`);
  await expect(runner.manager.insert(Account, { name: 'c' })).rejects.toThrow(/'BEGIN'/);
  await runner.query('ROLLBACK');
  await runner.query('SET autocommit = 1');
  await runner.release();
  await rig.close();
});

describe('a transaction that was begun by hand on PostgreSQL', () => {
  it('is known by its status, whatever has begun it', async () => {
    const rig = await openCaptureApp('postgres', [Account]);
    const runner = rig.dataSource.createQueryRunner();
    const client: { query(sql: string): Promise<unknown> } = await runner.connect();
    await client.query('SELECT 1; BEGIN');
    await expect(runner.manager.insert(Account, { name: 'b' })).rejects.toThrow(/'BEGIN'/);
    await client.query('ROLLBACK');
    await runner.release();
    await rig.close();
  });
});
