import { Column, DataSource, Entity, type EntityManager, PrimaryGeneratedColumn } from 'typeorm';
import type { DataSourceOptions } from 'typeorm';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { openOutboxApp, subscriber } from '../../test/support/apps/outbox-app.js';
import { type Forked, type ForkedCandidate, forked } from '../contenders/forked.js';
import { median, rates, reportFigure } from '../harness.js';
import type { Ground } from './ground.js';

const SCHEDULE = { warmUp: 3000, turn: 1000, rounds: 7, inFlight: 1 };

@Entity()
@Webhooks<Ware>({ payload: ({ id, title, views }) => ({ id, title, views }) })
@WebhookEvent<Ware>('article.created', { on: 'create' })
@WebhookEvent<Ware>('article.changed', { on: 'change' })
@WebhookEvent<Ware>('article.removed', { on: 'delete' })
class Ware {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @Column({ default: 0 }) views!: number;
}

/** One write after the other; each returns what it does once. */
const WRITES = {
  'insert()': (manager) => () => manager.insert(Ware, { title: 'A title of a usual length' }),
  'save() of a new row': (manager) => () =>
    manager.save(manager.create(Ware, { title: 'A title of a usual length' })),
  'save() of a changed row': async (manager) => {
    const row = await manager.save(Ware, { title: 'A title of a usual length' });
    return () => manager.save(Ware, { ...row, views: (row.views += 1) });
  },
  'update({ id })': async (manager) => {
    const { id } = await manager.save(Ware, { title: 'A title of a usual length' });
    let views = 0;
    return () => manager.update(Ware, { id }, { views: (views += 1) });
  },
} satisfies Record<
  string,
  (manager: EntityManager) => (() => Promise<unknown>) | Promise<() => Promise<unknown>>
>;
type Write = keyof typeof WRITES;

const SIDES = ['no events', 'events of no subscriber', 'events of a subscriber'] as const;
type Side = (typeof SIDES)[number];

/**
 * The milliseconds that a write takes on PostgreSQL where its entity has events, and in an application without this library.
 * Deliveries are left to other processes.
 */
export async function writeCost({ services }: Ground): Promise<void> {
  for (const write of Object.keys(WRITES) as Write[]) {
    const contenders: Forked[] = [];
    for (const side of SIDES) {
      contenders.push(await forked(writers, side, await services.postgres(), write, side));
    }
    const found = await rates(contenders, SCHEDULE);
    for (const contender of contenders) await contender.stop();
    const told = [...found].map(
      ([side, values]) => `${(1000 / median(values)).toFixed(2)} ms with ${side}`,
    );
    console.error(`PostgreSQL: ${write} takes ${told.join(', ')}`);
    for (const [side, values] of found) {
      reportFigure(`outbox.write-cost: ${write}, ${side}`, 1000 / median(values), 'ms');
    }
  }
}

/** Writes in an application of its own. */
export async function writer(
  name: string,
  options: DataSourceOptions,
  write: Write,
  side: Side,
): Promise<ForkedCandidate> {
  if (side === 'no events') {
    const dataSource = new DataSource({ ...options, entities: [Ware], synchronize: true });
    await dataSource.initialize();
    const once = await WRITES[write](dataSource.manager);
    return { name, once, stop: () => dataSource.destroy() };
  }
  const app = await openOutboxApp(
    { options },
    {
      ...{ entities: [Ware], isLogged: false, pollInterval: 1000, leavesOutUnheard: true },
      worker: false,
    },
  );
  if (side === 'events of a subscriber') {
    await app.subscribers.create(subscriber('http://127.0.0.1:9/'));
  }
  return { name, once: await WRITES[write](app.dataSource.manager), stop: () => app.close() };
}

/** {@link writer} for a process of its own. */
const writers = { url: import.meta.url, open: writer };
