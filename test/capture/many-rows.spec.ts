import { Column, Entity, ManyToOne, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
class Shelf {
  @PrimaryColumn() id!: number;
  @Column() name!: string;
}

@Entity()
@Webhooks<Item>({ bulkLimit: 3_000, payload: ({ id, shelf }) => [id, shelf.name] })
@WebhookEvent<Item>('changed', { on: 'change', relations: ['shelf'] })
@WebhookEvent<Item>('removed', { on: 'delete', relations: ['shelf'] })
class Item {
  @PrimaryColumn() id!: number;
  @Column({ default: 0 }) amount!: number;
  @ManyToOne(() => Shelf) shelf!: Shelf;
}

const ITEMS = 2_500;

describe.each(DATABASES_ALIKE)('a write of many rows, on %s', (kind) => {
  let app: CaptureApp;
  const manager = () => app.dataSource.manager;

  beforeAll(async () => {
    app = await openCaptureApp(kind, [Shelf, Item]);
    await manager().insert(Shelf, { id: 1, name: 'top' });
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    const builder = () => manager().createQueryBuilder();
    await builder().delete().from(Item).callListeners(false).execute();
    for (let first = 1; first <= ITEMS; first += 500) {
      const values = Array.from({ length: 500 }, (_, at) => ({ id: first + at, shelf: { id: 1 } }));
      await builder().insert().into(Item).values(values).callListeners(false).execute();
    }
    app.received();
    app.strategy.stagedBy.length = 0;
  });

  it.each([
    ['changed', () => manager().update(Item, { amount: 0 }, { amount: 1 })],
    ['removed', () => manager().delete(Item, { amount: 0 })],
  ])('stages its messages in sets, those that are %s', async (event, write) => {
    await write();
    const ids = Array.from({ length: ITEMS }, (_, at) => at + 1);
    expect(app.received()).toEqual(ids.map((id) => `${event} [${id},"top"]`));
    expect(app.strategy.stagedBy).toHaveLength(3);
    expect(new Set(app.strategy.stagedBy).size).toBe(1);
  });

  it('is undone when a later set of them cannot be staged', async () => {
    const stage = vi.spyOn(app.strategy, 'stage');
    stage.mockResolvedValueOnce().mockRejectedValueOnce(new Error('disk full'));
    await expect(manager().delete(Item, { amount: 0 })).rejects.toThrow('disk full');
    stage.mockRestore();
    expect(await manager().countBy(Item, { amount: 0 })).toBe(ITEMS);
    expect(app.received()).toEqual([]);
  });
});
