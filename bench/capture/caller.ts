import { Column, type DataSourceOptions, Entity, PrimaryGeneratedColumn } from 'typeorm';
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

/** What the caller of a write pays, in times of the same with an outbox by hand; unheard, in times of the bare write. */
export async function measureCaller(title: string, options: DataSourceOptions): Promise<void> {
  const app = await openOutboxApp(
    { options },
    {
      ...{ isLogged: false, worker: false, leavesOutUnheard: true },
      entities: [Plain, Captured, Unheard, OwnOutbox],
    },
  );
  try {
    await app.subscribers.create(
      subscriber('http://127.0.0.1:9/', { id: 'sub_caller', events: ['caller.*'] }),
    );
    await measure(title, app);
  } finally {
    await app.close();
  }
}

async function measure(title: string, { dataSource }: OutboxApp): Promise<void> {
  const { manager } = dataSource;
  const content = () => ({ title: 'A title of a usual length', views: 0 });
  const stored = async (type: new () => Content) => manager.save(type, content());
  let views = 0;
  const byHand = (event: string, write: (inner: typeof manager) => Promise<Content>) => () =>
    dataSource.transaction(async (inner) => {
      const row = await write(inner);
      await inner.insert(OwnOutbox, { event, data: JSON.stringify(payload(row)) });
    });
  const [plain, captured, unheard] = [
    await stored(Plain),
    await stored(Captured),
    await stored(Unheard),
  ];
  const updated = async (inner: typeof manager) => {
    await inner.update(Plain, { id: plain.id }, { views: ++views });
    return inner.findOneByOrFail(Plain, { id: plain.id });
  };
  const found = await rates(
    [
      {
        name: 'insert by hand',
        once: byHand('created', async (inner) => {
          const row = content();
          await inner.insert(Plain, row);
          return row as Content;
        }),
      },
      { name: 'insert', once: () => manager.insert(Captured, content()) },
      {
        name: 'save by hand',
        once: byHand('changed', (inner) =>
          inner.save(Plain, Object.assign(plain, { views: ++views })),
        ),
      },
      {
        name: 'save',
        once: () => manager.save(Captured, Object.assign(captured, { views: ++views })),
      },
      { name: 'update by hand', once: byHand('changed', updated) },
      {
        name: 'update',
        once: () => manager.update(Captured, { id: captured.id }, { views: ++views }),
      },
      {
        name: 'unheard by hand',
        once: () => manager.update(Plain, { id: plain.id }, { views: ++views }),
      },
      {
        name: 'unheard',
        once: () => manager.update(Unheard, { id: unheard.id }, { views: ++views }),
      },
    ],
    SCHEDULE,
  );
  for (const [name, goal] of Object.entries(GOALS)) {
    const [bare, slower] = [found.get(`${name} by hand`)!, found.get(name)!];
    const [less, more] = [bare, slower].map((one) => Math.round(1e6 / median(one)));
    console.error(`${title}: ${name} ${less} µs by hand, ${more} µs captured`);
    reportValue(`capture.caller-${name}-${title}`, ratio(bare, slower), 'times', goal);
  }
}
