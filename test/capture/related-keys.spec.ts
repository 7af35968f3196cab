import { Column, DeleteDateColumn, Entity, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';

@Entity()
class Shop {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

@Entity()
class Clerk {
  @PrimaryGeneratedColumn() id!: number;
  @DeleteDateColumn() leftAt!: Date | null;
}

abstract class Bill {
  @PrimaryGeneratedColumn() id!: number;
  @Column() total!: number;
  @ManyToOne(() => Shop, { nullable: true }) shop!: Shop | null;
}

const ofShop = { on: 'create', owner: 'shop.id' } as const;

@Entity()
@WebhookEvent<Order>('order.created', {
  ...ofShop,
  payload: ({ total }) => ({ total }),
  ref: '/shops/{shop.id}/orders/{id}',
  when: { shop: { id: { ne: 99 } } },
})
class Order extends Bill {}

@Entity()
@WebhookEvent<Moved>('moved.changed', {
  ...ofShop,
  on: 'change',
  payload: ({ total }, { before, changes }) => ({ total, was: before?.total, changes }),
})
class Moved extends Bill {}

@Entity()
@WebhookEvent<Told>('told.changed', {
  ...ofShop,
  on: 'change',
  payload: ({ shop }, { before }) => ({ now: shop?.name, was: before?.shop?.name }),
})
class Told extends Bill {}

@Entity()
@WebhookEvent<Named>('named.created', { ...ofShop, payload: ({ shop }) => ({ shop: shop?.name }) })
class Named extends Bill {}

@Entity()
@WebhookEvent<Whole>('whole.created', { ...ofShop, payload: (row) => row })
class Whole extends Bill {}

@Entity()
@WebhookEvent<Strict>('strict.created', {
  ...ofShop,
  payload: ({ shop }) => Promise.resolve({ size: shop!.name.length, isShop: shop instanceof Shop }),
})
class Strict extends Bill {}

@Entity()
@WebhookEvent<Receipt>('receipt.created', { on: 'create', owner: 'clerk.id' })
class Receipt {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Clerk) clerk!: Clerk;
}

describe.each(CAPTURE_DATABASES)(
  'keys of relations, of which an event needs no more, on %s',
  (kind) => {
    let rig: CaptureApp;
    let shop: Shop;

    beforeAll(async () => {
      rig = await openCaptureApp(kind, [
        Shop,
        Clerk,
        Order,
        Moved,
        Told,
        Named,
        Whole,
        Strict,
        Receipt,
      ]);
      shop = await rig.dataSource.manager.save(Object.assign(new Shop(), { name: 'Ada' }));
    });
    afterAll(() => rig.close());
    beforeEach(() => {
      rig.received();
      rig.queries();
    });

    const save = <Row extends object>(type: new () => Row, values: object) =>
      rig.dataSource.manager.save(type, Object.assign(new type(), values));
    const rereads = () => rig.queries().filter((sql) => sql.includes('thorn_row')).length;

    it('are read with a row that was inserted', async () => {
      const { id } = await save(Order, { total: 5, shop });
      const owner = `${shop.id}`;
      expect(rig.bodies()).toMatchObject([
        { owner, ref: `/shops/${owner}/orders/${id}`, data: { total: 5 } },
      ]);
      await save(Order, { total: 6, shop: { id: shop.id } });
      expect(rig.bodies()).toMatchObject([{ owner, data: { total: 6 } }]);
      await save(Named, { total: 7, shop: null });
      expect(rig.bodies()).toMatchObject([{ type: 'named.created', owner: null }]);
    });

    it('are read with a row that was changed', async () => {
      const { manager } = rig.dataSource;
      const row = await save(Moved, { total: 1, shop });
      row.total = 2;
      await manager.save(row);
      const other = await manager.save(Object.assign(new Shop(), { name: 'Bob' }));
      row.shop = other;
      await manager.save(row);
      const alone = await manager.findOneByOrFail(Moved, { id: row.id });
      alone.total = 3;
      await manager.save(alone);
      const total = { from: 1, to: 2 };
      expect(rig.bodies().map(({ owner, data }) => [owner, data])).toEqual([
        [`${shop.id}`, { total: 2, was: 1, changes: { total } }],
        [`${other.id}`, { total: 2, was: 2, changes: { shop: { from: shop.id, to: other.id } } }],
        [`${other.id}`, { total: 3, was: 2, changes: { total: { from: 2, to: 3 } } }],
      ]);
    });

    it('are whole rows for a payload that asks for more of a changed one', async () => {
      const row = await save(Told, { total: 1, shop });
      for (const total of [2, 3]) {
        row.total = total;
        await rig.dataSource.manager.save(row);
      }
      const data = { now: 'Ada', was: 'Ada' };
      expect(rig.bodies().map((body) => body.data)).toEqual([data, data]);
    });

    it('are whole rows for a payload that asks for more', async () => {
      for (const [index, total] of [1, 2].entries()) {
        await save(Named, { total, shop: { id: shop.id } });
        const { id } = await save(Whole, { total, shop: { id: shop.id } });
        await save(Strict, { total, shop: { id: shop.id } });
        expect(rig.bodies().map(({ data }) => data)).toEqual([
          { shop: 'Ada' },
          { id, total, shop: { id: shop.id, name: 'Ada' } },
          { size: 3, isShop: true },
        ]);
        expect(rereads(), `${index}`).toBe(3);
      }
    });

    it('are not those of rows that a join leaves out', async () => {
      const { manager } = rig.dataSource;
      const [here, gone] = await manager.save(Clerk, [{}, {}]);
      await manager.softDelete(Clerk, gone!.id);
      rig.received();
      await save(Receipt, { clerk: here });
      await save(Receipt, { clerk: gone });
      expect(rig.bodies().map(({ owner }) => owner)).toEqual([`${here!.id}`, null]);
    });
  },
);
