import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  type EntityManager,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { WebhookEvent } from '../../lib/capture/index.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../../test/support/apps/outbox-app.js';
import { median, rates, ratio, reportValue } from '../harness.js';

const SCHEDULE = { warmUp: 1500, turn: 400, rounds: 15, inFlight: 1 };
const GOALS = { insert: 1.3, save: 1.6, update: 2, unheard: 1.2 };

abstract class Content {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @Column({ type: 'int' }) views!: number;
}

@Entity('caller_plain')
class Plain extends Content {}

const payload = ({ id, title, views }: Content) => ({ id, title, views });

@Entity('caller_captured')
@WebhookEvent<Captured>('caller.created', { on: 'create', payload })
@WebhookEvent<Captured>('caller.changed', { on: 'change', payload })
class Captured extends Content {}

/** Nobody hears its changes; somebody hears its removals. */
@Entity('caller_unheard')
@WebhookEvent<Unheard>('unheard.changed', { on: 'change', payload })
@WebhookEvent<Unheard>('caller.removed', { on: 'delete', payload })
class Unheard extends Content {}

/** An outbox as applications write it: the row and its message in one transaction. */
@Entity('caller_outbox')
class OwnOutbox {
  @PrimaryGeneratedColumn() id!: number;
  @Column() event!: string;
  @Column({ type: 'text' }) data!: string;
}

/**
 * What the caller of a write pays, in times of the same with an outbox by hand; unheard, in times of the bare write. By hand
 * without the library: its data source is another one.
 */
export async function measureCaller(
  title: string,
  options: DataSourceOptions,
  byHand: DataSourceOptions,
): Promise<void> {
  const app = await openOutboxApp(
    { options },
    {
      ...{ isLogged: false, worker: false, leavesOutUnheard: true },
      entities: [Captured, Unheard],
    },
  );
  const plain = new DataSource({ ...byHand, entities: [Plain, OwnOutbox], synchronize: true });
  try {
    await plain.initialize();
    await app.subscribers.create(
      subscriber('http://127.0.0.1:9/', { id: 'sub_caller', events: ['caller.*'] }),
    );
    await measure(title, app, plain);
  } finally {
    await plain.destroy();
    await app.close();
  }
}

async function measure(title: string, { dataSource }: OutboxApp, plain: DataSource): Promise<void> {
  const found = await rates(
    [...Object.entries(await handMade(plain)), ...Object.entries(await captured(dataSource))]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, once]) => ({ name, once })),
    SCHEDULE,
  );
  for (const [name, goal] of Object.entries(GOALS)) {
    const [bare, slower] = [found.get(`${name} by hand`)!, found.get(name)!];
    const [less, more] = [bare, slower].map((one) => Math.round(1e6 / median(one)));
    console.error(`${title}: ${name} ${less} µs by hand, ${more} µs captured`);
    reportValue(`capture.caller-${name}-${title}`, ratio(bare, slower), 'times', goal);
  }
}

type Writes = Readonly<Record<string, () => Promise<unknown>>>;

const content = () => ({ title: 'A title of a usual length', views: 0 });

/** The writes with an outbox as applications write it. */
async function handMade(dataSource: DataSource): Promise<Writes> {
  const { manager } = dataSource;
  const stored = await manager.save(Plain, content());
  let views = 0;
  const sent = (event: string, write: (inner: EntityManager) => Promise<Content>) => () =>
    dataSource.transaction(async (inner) => {
      const row = await write(inner);
      await inner.insert(OwnOutbox, { event, data: JSON.stringify(payload(row)) });
    });
  return {
    'insert by hand': sent('created', async (inner) => {
      const row = content();
      await inner.insert(Plain, row);
      return row as Content;
    }),
    'save by hand': sent('changed', (inner) =>
      inner.save(Plain, Object.assign(stored, { views: ++views })),
    ),
    'update by hand': sent('changed', async (inner) => {
      await inner.update(Plain, { id: stored.id }, { views: ++views });
      return inner.findOneByOrFail(Plain, { id: stored.id });
    }),
    'unheard by hand': () => manager.update(Plain, { id: stored.id }, { views: ++views }),
  };
}

async function captured({ manager }: DataSource): Promise<Writes> {
  const [heard, unheard] = [
    await manager.save(Captured, content()),
    await manager.save(Unheard, content()),
  ];
  let views = 0;
  return {
    insert: () => manager.insert(Captured, content()),
    save: () => manager.save(Captured, Object.assign(heard, { views: ++views })),
    update: () => manager.update(Captured, { id: heard.id }, { views: ++views }),
    unheard: () => manager.update(Unheard, { id: unheard.id }, { views: ++views }),
  };
}
