import { Column, Entity, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';

@Entity()
@WebhookEvent<Hall>('hall', {
  on: ['create', 'change', 'delete'],
  payload: ({ no, name }, { on }) => ({ on, no, name }),
})
class Hall {
  @PrimaryColumn() no!: number;
  @Column() name!: string;
}

describe.each(CAPTURE_DATABASES)('an update by criteria that sets the key on %s', (kind) => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Hall]);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    await manager().createQueryBuilder().delete().from(Hall).execute();
    await manager().insert(Hall, [
      { no: 1, name: 'A' },
      { no: 2, name: 'B' },
    ]);
    rig.received();
  });

  it('tells a row that is gone, and one that is new', async () => {
    await manager().update(Hall, { name: 'A' }, { no: 7 });
    expect(rig.received()).toEqual([
      'hall {"on":"delete","no":1,"name":"A"}',
      'hall {"on":"create","no":7,"name":"A"}',
    ]);
  });

  it.each<[string, object]>([
    ['by id', { no: 1 }],
    ['by another column', { name: 'A' }],
  ])('is refused before it begins when it does so by an expression, %s', async (_, criteria) => {
    const update = manager().update(Hall, criteria, { no: () => 'no + 100' });
    await expect(update).rejects.toMatchObject({
      code: 'THORN_BULK_WRITE',
      message: expect.stringMatching(
        /^Hall: update sets the primary key by an SQL expression and is refused.* because hall could .*callListeners\(false\)$/,
      ) as unknown,
    });
    expect(await manager().countBy(Hall, { no: 1 })).toBe(1);
    await manager()
      .createQueryBuilder()
      .update(Hall)
      .set({ no: () => 'no + 100' })
      .where(criteria)
      .callListeners(false)
      .execute();
    expect(await manager().countBy(Hall, { no: 101 })).toBe(1);
    expect(rig.received()).toEqual([]);
  });
});
