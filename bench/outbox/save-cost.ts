import { DataSource, type DataSourceOptions } from 'typeorm';
import { outboxEntities } from '../../lib/outbox/index.js';
import { Article, openOutboxApp } from '../../test/support/apps/outbox-app.js';
import { type Candidate, median, rates, ratio, reportRatio } from '../harness.js';
import type { Ground } from './ground.js';

const COLUMNS = [
  ...['id', 'event', 'time', 'owner', 'audience', 'ref', 'headers', 'settings', 'recipients'],
  ...['body', 'lease', 'due_at'],
];
const SCHEDULE = { warmUp: 3000, turn: 1000, rounds: 9 };

/**
 * Saving an entity whose creation is an event, against saving it in a data source that Thorn does not know. On the side:
 * what the statement alone costs that stores the message, written by hand in the same transaction.
 */
export async function saveCost({ services }: Ground): Promise<void> {
  const sqlite = await cost('SQLite', async () => services.sqlite(), 1);
  const postgres = await cost('PostgreSQL', () => services.postgres(), 1);
  reportRatio('outbox.save-cost', 'save', Math.max(sqlite, postgres), 1.3, 'at most');
  const busy = await cost('PostgreSQL', () => services.postgres(), 8);
  reportRatio('outbox.save-cost-8', 'save', busy, 1.6, 'at most');
}

async function cost(
  name: string,
  place: () => Promise<DataSourceOptions>,
  inFlight: number,
): Promise<number> {
  // Nobody is subscribed: deliveries would cost the same whatever the save did.
  const rig = await openOutboxApp(
    { options: await place() },
    { isLogged: false, pollInterval: 1000 },
  );
  const plain = await open(await place(), [Article]);
  const byHand = await open(await place(), [Article, ...outboxEntities]);
  const found = await rates(
    [saving('with', rig.dataSource), saving('without', plain), inserting('by hand', byHand)],
    { ...SCHEDULE, inFlight },
  );
  await rig.close();
  for (const dataSource of [plain, byHand]) await dataSource.destroy();
  const [event, none, hand] = [found.get('with')!, found.get('without')!, found.get('by hand')!];
  console.error(
    `${name}, ${inFlight} at once: ${Math.round(median(none))} saves/s, ${Math.round(median(event))} with an event; with an INSERT by hand ${Math.round(median(hand))}, which is ${ratio(none, hand).toFixed(2)} times the cost`,
  );
  return ratio(none, event);
}

function open(options: DataSourceOptions, entities: Function[]): Promise<DataSource> {
  return new DataSource({ ...options, entities, synchronize: true }).initialize();
}

function saving(name: string, { manager }: DataSource): Candidate {
  let count = 0;
  return {
    name,
    once: () => manager.save(manager.create(Article, { title: `Article ${count++}` })),
  };
}

function inserting(name: string, { manager, options }: DataSource): Candidate {
  let count = 0;
  const marks = COLUMNS.map((_, at) => (options.type === 'postgres' ? `$${at + 1}` : '?'));
  const sql = `INSERT INTO thorn_messages (${COLUMNS.join(', ')}) VALUES (${marks.join(', ')})`;
  return {
    name,
    once: () =>
      manager.transaction(async (within) => {
        const { id, title } = await within.save(
          within.create(Article, { title: `Article ${count++}` }),
        );
        const now = Date.now();
        const body = JSON.stringify({ event: 'article.created', data: { id, title } });
        await within.query(sql, [
          ...[`msg_${id}`, 'article.created', now, null, 'everyone', null, '{}', '{}', '[]', body],
          ...['by-hand', now + 60_000],
        ]);
      }),
  };
}
