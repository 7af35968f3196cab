import { median, rates, ratio, reportRatio } from '../harness.js';
import { application } from './application.js';
import type { Contender } from './contender.js';
import { emitter } from './emitter.js';
import type { Ground } from './ground.js';
import { queue } from './queue.js';
import { rows } from './rows.js';

export const SUBSCRIBERS = 10;
const SCHEDULE = { warmUp: 3000, turn: 2000, rounds: 5, inFlight: 100 };

/** One event to ten subscribers, as fast as it goes. */
export async function throughput({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const contenders = [
    await application('outbox on SQLite', services.sqlite(), urls),
    await queue('E2', await services.redis(), urls),
    await application('outbox on PostgreSQL', await services.postgres(), urls),
    emitter('E1', urls),
    await rows('N on SQLite', services.sqlite(), urls),
    await rows('N on PostgreSQL', await services.postgres(), urls),
  ];
  const found = await measured(contenders, SCHEDULE);
  const of = (name: string) => found.get(name)!;
  const [sqlite, postgres] = [of('outbox on SQLite'), of('outbox on PostgreSQL')];
  reportRatio('outbox.sqlite-vs-e2', 'E2', ratio(sqlite, of('E2')), 5);
  reportRatio('outbox.postgres-vs-e2', 'E2', ratio(postgres, of('E2')), 4.5);
  reportRatio('outbox.sqlite-vs-naive', 'N', ratio(sqlite, of('N on SQLite')), 12);
  reportRatio('outbox.postgres-vs-naive', 'N', ratio(postgres, of('N on PostgreSQL')), 12);
}

/** Says how many deliveries a second each made, and ends them. */
export async function measured(
  contenders: readonly Contender[],
  schedule: Parameters<typeof rates>[1],
): Promise<Map<string, number[]>> {
  const found = await rates(contenders, schedule);
  for (const [name, values] of found) {
    console.error(`${name}: ${Math.round(median(values) * SUBSCRIBERS)} deliveries/s`);
  }
  for (const contender of contenders) await contender.stop();
  return found;
}
