import { Column, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BulkWriteError } from '../../lib/typeorm/errors.js';
import { WebhookEvent } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';

@Entity('codes')
@WebhookEvent<Code>('code.changed', { on: 'change', payload: ({ code }) => ({ code }) })
class Code {
  @PrimaryColumn({
    type: 'varchar',
    transformer: { from: (value: string) => value.toLowerCase(), to: (value: unknown) => value },
  })
  code!: string;
  @Column() note!: string;
}

class Size {
  @Column({ default: 1 }) width!: number;
}

@Entity('boxes')
@WebhookEvent<Box>('box.changed', { on: 'change', payload: ({ id }) => ({ id }) })
@WebhookEvent<Box>('box.removed', { on: 'delete', payload: ({ id }) => ({ id }) })
class Box {
  @PrimaryColumn() id!: number;
  @Column() note!: string;
  @Column(() => Size) size!: Size;
}

describe('writes on PostgreSQL whose rows their keys do not find', () => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;
  const notes = async (table: string) => {
    const rows: { note: string }[] = await rig.dataSource.query(
      `SELECT note FROM ${table} ORDER BY note`,
    );
    return rows.map(({ note }) => note);
  };

  beforeAll(async () => {
    rig = await openCaptureApp('postgres', [Code, Box]);
    await rig.dataSource.query(`
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF OLD.note = 'kept' THEN RETURN NULL; END IF;
          IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
          RETURN NEW;
        END $$`);
    await rig.dataSource.query(
      'CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON boxes FOR EACH ROW EXECUTE FUNCTION keep()',
    );
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    await rig.dataSource.query('TRUNCATE codes, boxes');
    await rig.dataSource.query(`INSERT INTO codes VALUES ('ABC', 'a')`);
    await rig.dataSource.query(`INSERT INTO boxes VALUES (1, 'a', 1), (2, 'kept', 1)`);
    rig.received();
  });

  it('are refused, with nothing written or sent, when a transformer changes the keys', async () => {
    const write = manager().update(Code, { note: 'a' }, { note: 'z' });
    await expect(write).rejects.toThrow('update matched 1 row(s) and changed 0');
    expect(await notes('codes')).toEqual(['a']);
    expect(rig.received()).toEqual([]);
  });

  it.each([
    ['an update', () => manager().update(Box, { size: { width: 1 } }, { note: 'z' })],
    ['an update by id', () => manager().update(Box, { id: 2 }, { note: 'z' })],
    ['a deletion', () => manager().delete(Box, { size: { width: 1 } })],
  ])(
    'are refused, with nothing written or sent, when a trigger keeps rows: %s',
    async (_, write) => {
      await expect(write()).rejects.toThrow(BulkWriteError);
      await expect(write()).rejects.toMatchObject({
        data: { entity: 'Box', hit: expect.any(Number) },
      });
      expect(await notes('boxes')).toEqual(['a', 'kept']);
      expect(rig.received()).toEqual([]);
    },
  );

  describe('in a transaction of the application, which catches the error', () => {
    const refused = async (inner: EntityManager) => {
      const write = inner.update(Box, { size: { width: 1 } }, { note: 'z' });
      await expect(write).rejects.toThrow(BulkWriteError);
    };

    it('are not committed', async () => {
      const outer = rig.dataSource.transaction(async (inner) => {
        await refused(inner);
        await inner.transaction(refused);
        await inner.save(Code, { code: 'new', note: 'n' });
      });
      await expect(outer).rejects.toThrow(/cannot be committed/);
      expect(await notes('boxes')).toEqual(['a', 'kept']);

      const runner = rig.dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.startTransaction();
      await refused(runner.manager);
      await runner.commitTransaction();
      await expect(runner.commitTransaction()).rejects.toThrow(BulkWriteError);
      await expect(runner.commitTransaction()).rejects.toThrow(BulkWriteError);
      await runner.rollbackTransaction();
      await runner.startTransaction();
      await runner.manager.update(Box, { id: 1 }, { note: 'later' });
      await runner.commitTransaction();
      await runner.release();
      expect(await notes('boxes')).toEqual(['kept', 'later']);
      expect(rig.received()).toEqual(['box.changed {"id":1}']);
    });

    it('are undone with their savepoint, and the rest is committed', async () => {
      await rig.dataSource.transaction(async (outer) => {
        await outer.update(Box, { id: 1 }, { note: 'before' });
        const inner = outer.transaction(async (savepoint) => {
          await savepoint.transaction(refused);
          throw new Error('no');
        });
        await expect(inner).rejects.toThrow('no');
        await outer.update(Box, { id: 1 }, { note: 'after' });
      });
      expect(await notes('boxes')).toEqual(['after', 'kept']);
      expect(rig.received()).toEqual(['box.changed {"id":1}']);
    });
  });
});
