import type { DataSourceOptions } from 'typeorm';
import { Entity } from 'typeorm';
import { Webhooks } from '../lib/capture/index.js';
import {
  Article,
  openOutboxApp,
  type OutboxApp,
  subscriber,
} from '../test/support/apps/outbox-app.js';
import { type Candidate, median, rates, ratio, reportRatio } from './harness.js';
import { blockedP99, manyKeys, oneKey, unorderedCost } from './order/ordered.js';
import { Services } from './outbox/services.js';
import { partsOf } from './parts.js';

const SCHEDULE = { warmUp: 2000, turn: 1000, rounds: 7 };
const GOAL = 1.3;

@Entity('article')
@Webhooks<Ordered>({ orderBy: true })
class Ordered extends Article {}

const PARTS: Readonly<Record<string, (services: Services) => Promise<void>>> = {
  'sequence-save-cost': async (services) => {
    const report = (bench: string, value: number) =>
      reportRatio(bench, 'save', value, GOAL, 'at most');
    const postgres = () => services.postgres();
    report('order.sequence-save-cost', await cost('PostgreSQL', postgres, 1));
    report('order.sequence-save-cost-8', await cost('PostgreSQL', postgres, 8));
    const sqlite = await cost('SQLite', async () => services.sqlite(), 1);
    report('order.sequence-save-cost-sqlite', sqlite);
  },
  'unordered-cost': unorderedCost,
  'many-keys': manyKeys,
  'one-key': oneKey,
  'blocked-p99': blockedP99,
};

/** @param wanted names of parts; all when there are none */
export async function run(wanted: readonly string[]): Promise<void> {
  const services = new Services();
  try {
    for (const part of partsOf('order', PARTS, wanted)) await part.run(services);
  } finally {
    await services.stop();
  }
}

/** Saving an entity whose creation is an event with a key, against the same save without one. Both are heard. */
async function cost(
  name: string,
  place: () => Promise<DataSourceOptions>,
  inFlight: number,
): Promise<number> {
  const open = async (entity: typeof Article): Promise<OutboxApp> => {
    const app = await openOutboxApp(
      { options: await place() },
      { isLogged: false, pollInterval: 1000, worker: false, entities: [entity] },
    );
    await app.subscribers.create(subscriber('http://127.0.0.1:9/'));
    return app;
  };
  const [ordered, plain] = [await open(Ordered), await open(Article)];
  const candidates = [saving('with', ordered, Ordered), saving('without', plain, Article)];
  const found = await rates(candidates, { ...SCHEDULE, inFlight });
  const [{ count }] = (await ordered.rows(
    'SELECT COUNT(*) AS count FROM thorn_messages WHERE sequence = 1',
  )) as [{ count: unknown }];
  if (Number(count) === 0) throw new Error('nothing was numbered: these figures are worth nothing');
  for (const app of [ordered, plain]) await app.close();
  const [key, none] = [found.get('with')!, found.get('without')!];
  console.error(
    `${name}, ${inFlight} at once: ${Math.round(median(none))} saves/s, ${Math.round(median(key))} with a key`,
  );
  return ratio(none, key);
}

function saving(
  name: string,
  { dataSource: { manager } }: OutboxApp,
  entity: typeof Article,
): Candidate {
  let count = 0;
  return {
    name,
    once: () => manager.save(manager.create(entity, { title: `Article ${count++}` })),
  };
}
