import { randomUUID } from 'node:crypto';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { outboxEntities } from '../../lib/outbox/index.js';
import { Article, openOutboxApp, subscriber } from '../../test/support/apps/outbox-app.js';
import { type Candidate, median, rates, ratio, reportRatio } from '../harness.js';
import type { Ground } from './ground.js';
import { SlowWire } from './slow-wire.js';

const COLUMNS = [
  ...['id', 'event', 'time', 'owner', 'audience', 'ref', 'headers', 'settings', 'recipients'],
  'body',
];
const SCHEDULE = { warmUp: 2000, turn: 1000, rounds: 7 };
/** Milliseconds on the way to PostgreSQL and back, each. */
const ONE_WAY = 0.5;

interface Case {
  readonly name: string;
  readonly place: () => Promise<DataSourceOptions>;
  readonly inFlight?: number;
  /** A subscriber of the event; deliveries are left to other processes. */
  readonly isHeard?: boolean;
}

/**
 * Saving an entity whose creation is an event, against saving it in a data source that Thorn does not know. On the side:
 * what the statement alone costs that stores the message, written by hand in the same transaction.
 */
export async function saveCost({ services }: Ground): Promise<void> {
  const sqlite = { name: 'SQLite', place: async () => services.sqlite() };
  const postgres = { name: 'PostgreSQL', place: () => services.postgres() };
  const report = (bench: string, value: number, goal: number) =>
    reportRatio(bench, 'save', value, goal, 'at most');
  report('outbox.save-cost-unheard-sqlite', await cost(sqlite), 1.2);
  report('outbox.save-cost-unheard-postgres', await cost(postgres), 1.2);
  report('outbox.save-cost-heard-sqlite', await cost({ ...sqlite, isHeard: true }), 1.6);
  report('outbox.save-cost-heard-postgres', await cost({ ...postgres, isHeard: true }), 1.5);
  report('outbox.save-cost-8', await cost({ ...postgres, isHeard: true, inFlight: 8 }), 1.6);

  const wires: SlowWire[] = [];
  const far = async () => {
    const options = (await services.postgres()) as Extract<DataSourceOptions, { type: 'postgres' }>;
    const url = new URL(options.url!);
    const target = { host: url.hostname, port: Number(url.port || 5432) };
    wires.push(await SlowWire.start(target, ONE_WAY));
    [url.hostname, url.port] = ['127.0.0.1', `${wires.at(-1)!.port}`];
    return { ...options, url: url.href };
  };
  const distant = { name: 'PostgreSQL, 1 ms away', place: far, isHeard: true };
  report('outbox.save-cost-rtt', await cost(distant), 1.3);
  for (const wire of wires) await wire.stop();
}

async function cost({ name, place, inFlight = 1, isHeard = false }: Case): Promise<number> {
  const app = await openOutboxApp(
    { options: await place() },
    { isLogged: false, pollInterval: 1000, worker: !isHeard, leavesOutUnheard: true },
  );
  if (isHeard) await app.subscribers.create(subscriber('http://127.0.0.1:9/'));
  const plain = await open(await place(), [Article]);
  const candidates = [saving('with', app.dataSource), saving('without', plain)];
  const byHand = isHeard ? await open(await place(), [Article, ...outboxEntities]) : undefined;
  if (byHand !== undefined) candidates.push(inserting('by hand', byHand));
  const found = await rates(candidates, { ...SCHEDULE, inFlight });
  await app.close();
  for (const dataSource of [plain, byHand]) await dataSource?.destroy();
  const [event, none, hand] = [found.get('with')!, found.get('without')!, found.get('by hand')];
  const aside = hand && `; with an INSERT by hand ${ratio(none, hand).toFixed(2)} times the cost`;
  console.error(
    `${name}, ${inFlight} at once, ${isHeard ? 'one subscriber' : 'nobody subscribed'}: ${Math.round(median(none))} saves/s, ${Math.round(median(event))} with an event${aside ?? ''}`,
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
          ...[randomUUID(), 'article.created', now, null, 'everyone', null, '{}', '{}', '[]', body],
        ]);
      }),
  };
}
