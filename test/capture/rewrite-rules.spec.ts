import { Column, Entity, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';

/** A rule archives what is deleted. */
@Entity('papers')
@WebhookEvent<Paper>('paper.changed', { on: 'change', payload: (_, { changes }) => changes })
@WebhookEvent<Paper>('paper.removed', { on: 'delete', payload: ({ id }) => ({ id }) })
class Paper {
  @PrimaryColumn() id!: number;
  @Column() text!: string;
  @Column({ default: false }) archived!: boolean;
}

/** A rule makes nothing of an update, and a deletion one of papers. */
@Entity('seals')
@WebhookEvent<Seal>('seal.changed', { on: 'change', payload: ({ id }) => ({ id }) })
@WebhookEvent<Seal>('seal.removed', { on: 'delete', payload: ({ id }) => ({ id }) })
class Seal {
  @PrimaryColumn() id!: number;
  @Column() text!: string;
}

@Entity('tasks')
class Task {
  @PrimaryColumn() id!: number;
  @Column() title!: string;
  @Column({ default: false }) done!: boolean;
}

/** A view, whose rules write to tasks. */
@Entity({ name: 'open_tasks', synchronize: false })
@WebhookEvent<OpenTask>('task.changed', { on: 'change', payload: ({ title }) => ({ title }) })
@WebhookEvent<OpenTask>('task.removed', { on: 'delete', payload: ({ title }) => ({ title }) })
class OpenTask {
  @PrimaryColumn() id!: number;
  @Column() title!: string;
}

describe('writes that a rule of PostgreSQL replaces', () => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;

  beforeAll(async () => {
    rig = await openCaptureApp('postgres', [Paper, Seal, Task, OpenTask]);
    for (const sql of [
      'CREATE RULE archive AS ON DELETE TO papers DO INSTEAD UPDATE papers SET archived = true WHERE id = OLD.id',
      'CREATE RULE keep AS ON UPDATE TO seals DO INSTEAD NOTHING',
      'CREATE RULE other AS ON DELETE TO seals DO INSTEAD DELETE FROM tasks WHERE id = OLD.id',
      'CREATE VIEW open_tasks AS SELECT id, upper(title) AS title FROM tasks WHERE NOT done',
      'CREATE RULE retitle AS ON UPDATE TO open_tasks DO INSTEAD UPDATE tasks SET title = NEW.title WHERE id = OLD.id',
      'CREATE RULE finish AS ON DELETE TO open_tasks DO INSTEAD UPDATE tasks SET done = true WHERE id = OLD.id',
    ]) {
      await rig.dataSource.query(sql);
    }
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    await rig.dataSource.query('TRUNCATE papers, seals, tasks');
    await rig.dataSource.query(`INSERT INTO papers VALUES (1, 'a'), (2, 'b')`);
    await rig.dataSource.query(`INSERT INTO seals VALUES (1, 'a')`);
    await rig.dataSource.query(`INSERT INTO tasks VALUES (1, 'sow'), (2, 'reap')`);
    rig.received();
  });

  it('send what has become of the rows', async () => {
    await manager().delete(Paper, { id: 1 });
    expect(rig.received()).toEqual(['paper.changed {"archived":{"from":false,"to":true}}']);
    await rig.dataSource.transaction((inner) => inner.delete(Paper, { text: 'b' }));
    expect(rig.received()).toEqual(['paper.changed {"archived":{"from":false,"to":true}}']);
    expect(await manager().countBy(Paper, { archived: true })).toBe(2);
    await manager().delete(Paper, { id: 1 });
    expect(rig.received()).toEqual([]);
    await manager().update(Paper, { id: 1 }, { text: 'c' });
    expect(rig.received()).toEqual(['paper.changed {"text":{"from":"a","to":"c"}}']);
  });

  it('send nothing of rows that a rule has left alone', async () => {
    await manager().update(Seal, { id: 1 }, { text: 'z' });
    await manager().delete(Seal, { id: 1 });
    await rig.dataSource.transaction((inner) => inner.delete(Seal, { id: 1 }));
    expect(await manager().find(Seal)).toMatchObject([{ id: 1, text: 'a' }]);
    expect(rig.received()).toEqual([]);
    expect(await manager().count(Task)).toBe(1);
  });

  it('are seen through a view', async () => {
    await manager().update(OpenTask, { id: 1 }, { title: 'mow' });
    expect(rig.received()).toEqual(['task.changed {"title":"MOW"}']);
    await rig.dataSource.transaction((inner) => inner.delete(OpenTask, { id: 2 }));
    expect(rig.received()).toEqual(['task.removed {"title":"REAP"}']);
    expect(await manager().countBy(Task, { done: true })).toBe(1);
  });
});
