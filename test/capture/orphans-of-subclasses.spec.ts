import {
  ChildEntity,
  Column,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  ManyToMany,
  JoinTable,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  type Relation,
  TableInheritance,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
class Depot {
  @PrimaryColumn()
  id!: number;

  @OneToMany(() => Vehicle, ({ depot }) => depot, { cascade: true })
  vehicles!: Relation<Vehicle>[];

  @OneToMany(() => Vehicle, ({ parkedAt }) => parkedAt, { cascade: true })
  parked!: Relation<Vehicle>[];
}

@Entity()
class Plate {
  @PrimaryColumn()
  id!: number;
}

@Entity()
@TableInheritance({ column: { type: 'varchar', name: 'kind' } })
class Vehicle {
  @PrimaryColumn()
  id!: number;

  @Column({ default: 'v' })
  name!: string;

  @ManyToOne(() => Depot, ({ vehicles }) => vehicles, {
    nullable: true,
    orphanedRowAction: 'delete',
  })
  depot!: Relation<Depot> | null;

  @ManyToOne(() => Depot, ({ parked }) => parked, {
    nullable: true,
    orphanedRowAction: 'soft-delete',
  })
  parkedAt!: Relation<Depot> | null;

  @DeleteDateColumn()
  deletedAt!: Date | null;
}

@ChildEntity('car')
@WebhookEvent<Car>('car.gone', {
  on: 'delete',
  payload: ({ id, name, doors }) => [id, name, doors],
})
@WebhookEvent<Car>('car.left.{depot.id}', {
  on: 'delete',
  softRemoval: false,
  payload: ({ id, depot }) => [id, depot?.id],
})
class Car extends Vehicle {
  @Column({ default: 4 })
  doors!: number;
}

@ChildEntity('taxi')
@WebhookEvent<Taxi>('taxi.gone', { on: 'delete', payload: ({ id, sign }) => [id, sign] })
class Taxi extends Car {
  @Column({ default: 'TAXI' })
  sign!: string;
}

@ChildEntity('van')
class Van extends Vehicle {
  @ManyToMany(() => Plate)
  @JoinTable()
  plates!: Plate[];
}

describe.each(DATABASES_ALIKE)('rows of subclasses that a relation has lost, on %s', (kind) => {
  let app: CaptureApp;
  let manager: EntityManager;

  beforeAll(async () => {
    app = await openCaptureApp(kind, [Depot, Plate, Vehicle, Car, Taxi, Van]);
    ({ manager } = app.dataSource);
  });
  afterAll(() => app.close());

  beforeEach(async () => {
    for (const entity of [Vehicle, Depot]) {
      await manager.createQueryBuilder().delete().from(entity).callListeners(false).execute();
    }
    app.received();
  });

  /** Saves a depot with three vehicles, and then without all but the first. */
  async function lose(relation: 'vehicles' | 'parked', inverse: 'depot' | 'parkedAt') {
    const depot = await manager.save(Depot, { id: 5 });
    for (const [id, entity] of [Car, Car, Taxi, Van].entries()) {
      await manager.save(entity, { id, name: `v${id}`, [inverse]: depot });
    }
    app.queries();
    const found = await manager.findOneOrFail(Depot, {
      where: { id: 5 },
      relations: { [relation]: true },
    });
    found[relation] = found[relation].filter(({ id }) => id === 0);
    await manager.save(found);
  }

  it('are a delete of their own class, as they last were', async () => {
    await lose('vehicles', 'depot');
    const reads = app.queries().filter((sql) => /^SELECT.*FROM [`"]vehicle[`"]/s.test(sql));
    // Two of the save itself, one for the classes of all that go, and one for the relation of each class, with a lock.
    expect(reads).toHaveLength(kind === 'sqlite' ? 5 : 7);
    expect(await manager.countBy(Vehicle, {})).toBe(1);
    expect(app.received().sort()).toEqual([
      'car.gone [1,"v1",4]',
      'car.gone [2,"v2",4]',
      'car.left.5 [1,5]',
      'car.left.5 [2,5]',
      'taxi.gone [2,"TAXI"]',
    ]);
  });

  it('are a delete when they are softly removed', async () => {
    await lose('parked', 'parkedAt');
    expect(await manager.countBy(Vehicle, {})).toBe(1);
    expect(app.received().sort()).toEqual([
      'car.gone [1,"v1",4]',
      'car.gone [2,"v2",4]',
      'taxi.gone [2,"TAXI"]',
    ]);
  });

  it('send nothing when the transaction is rolled back', async () => {
    const undone = manager.transaction(async (inner) => {
      await inner.save(Depot, { id: 5 });
      await inner.save(Car, { id: 1, depot: { id: 5 } });
      const depot = await inner.findOneOrFail(Depot, {
        where: { id: 5 },
        relations: { vehicles: true },
      });
      await inner.save(Object.assign(depot, { vehicles: [] }));
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(app.received()).toEqual([]);
  });
});
