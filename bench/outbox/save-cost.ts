import { DataSource, type DataSourceOptions } from 'typeorm';
import { Article, openRig } from '../../test/outbox-rig.js';
import { type Candidate, median, rates, ratio, reportRatio } from '../harness.js';
import type { Ground } from './ground.js';

const SCHEDULE = { warmUp: 3000, turn: 1000, rounds: 9 };

/** Saving an entity whose creation is an event, against saving it in a data source that Thorn does not know. */
export async function saveCost({ services }: Ground): Promise<void> {
  const sqlite = await cost('SQLite', services.sqlite(), services.sqlite(), 1);
  const postgres = await cost(
    'PostgreSQL',
    await services.postgres(),
    await services.postgres(),
    1,
  );
  reportRatio('outbox.save-cost', 'save', Math.max(sqlite, postgres), 1.3, 'at most');
  const busy = await cost('PostgreSQL', await services.postgres(), await services.postgres(), 8);
  reportRatio('outbox.save-cost-8', 'save', busy, 1.6, 'at most');
}

async function cost(
  name: string,
  withEvent: DataSourceOptions,
  without: DataSourceOptions,
  inFlight: number,
): Promise<number> {
  // Nobody is subscribed: deliveries would cost the same whatever the save did.
  const rig = await openRig({ options: withEvent }, { isLogged: false, pollInterval: 1000 });
  const plain = await new DataSource({
    ...without,
    entities: [Article],
    synchronize: true,
  }).initialize();
  const found = await rates([saving('with', rig.dataSource), saving('without', plain)], {
    ...SCHEDULE,
    inFlight,
  });
  await rig.close();
  await plain.destroy();
  const [event, none] = [found.get('with')!, found.get('without')!];
  const value = ratio(none, event);
  console.error(
    `${name}, ${inFlight} at once: ${Math.round(median(none))} saves/s, ${Math.round(median(event))} with an event`,
  );
  return value;
}

function saving(name: string, { manager }: DataSource): Candidate {
  let count = 0;
  return {
    name,
    once: () => manager.save(manager.create(Article, { title: `Article ${count++}` })),
  };
}
