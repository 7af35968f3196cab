import { Column, Entity, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
class Country {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

class Place {
  @Column({ type: 'varchar', nullable: true }) city!: string | null;
  @ManyToOne(() => Country, { nullable: true }) country!: Country | null;
}

const payload = async ({ country }: { readonly country: Promise<Country | null> }) => ({
  country: (await country)?.name ?? null,
});

@Entity()
@WebhookEvent<Sight>('sight.removed', { on: 'delete', relations: ['country'], payload })
class Sight {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @ManyToOne(() => Country, { lazy: true }) country!: Promise<Country>;
}

@Entity()
@WebhookEvent<View>('view.removed', { on: 'delete', payload })
class View {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @ManyToOne(() => Country, { lazy: true }) country!: Promise<Country>;
}

@Entity()
@WebhookEvent<Trip>('trip', { on: 'change', payload: (_, { changes }) => changes })
class Trip {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @Column(() => Place) place!: Place;
}

describe.each(DATABASES_ALIKE)('a row with lazy or embedded relations on %s', (kind) => {
  let rig: CaptureApp;
  let italy: Country;
  let france: Country;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Country, Sight, View, Trip]);
    italy = await rig.dataSource.manager.save(Country, { name: 'Italy' });
    france = await rig.dataSource.manager.save(Country, { name: 'France' });
  });
  afterAll(() => rig.close());
  beforeEach(() => rig.received());

  it.each(['by id', 'by a column', 'by remove()'])(
    'has, removed %s, the lazy relations that its event declares',
    async (how) => {
      const { manager } = rig.dataSource;
      const found: string[] = [];
      for (const type of [Sight, View]) {
        const { identifiers } = await manager.insert(type, {
          name: 'x',
          country: italy as never,
        });
        const { id } = identifiers[0] as { id: number };
        if (how === 'by id') await manager.delete(type, id);
        else if (how === 'by a column') await manager.delete(type, { name: 'x' });
        else await manager.remove(await manager.findOneByOrFail(type, { id }));
        found.push(...rig.received());
      }
      expect(found).toEqual([
        'sight.removed {"country":"Italy"}',
        // It is looked for when the row has gone.
        'view.removed {"country":null}',
      ]);
    },
  );

  it.each<[string, (id: number, country: Country | null) => Promise<unknown>]>([
    ['save()', (id, country) => rig.dataSource.manager.save(Trip, { id, place: { country } })],
    [
      'update()',
      (id, country) => {
        const to = country && { id: country.id };
        return rig.dataSource.manager.update(Trip, { id }, { place: { country: to } });
      },
    ],
    [
      'update() by a column',
      (_, country) => {
        const to = country && { id: country.id };
        return rig.dataSource.manager.update(Trip, { name: 'x' }, { place: { country: to } });
      },
    ],
  ])('tells both ids of an embedded relation that %s changes', async (_, set) => {
    const { manager } = rig.dataSource;
    const { id } = await manager.save(Trip, { name: 'x', place: { city: 'A', country: italy } });
    rig.received();
    await set(id, france);
    await set(id, null);
    expect(rig.received()).toEqual([
      `trip {"place":{"from":{"city":"A","country":${italy.id}},"to":{"city":"A","country":${france.id}}}}`,
      `trip {"place":{"from":{"city":"A","country":${france.id}},"to":{"city":"A","country":null}}}`,
    ]);
    await manager.delete(Trip, id);
  });
});
