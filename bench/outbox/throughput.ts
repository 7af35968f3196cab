import { median, rates, ratio, reportRatio } from '../harness.js';
import { type Forked, forked } from '../contenders/forked.js';
import { ours } from './application.js';
import { e1 } from './emitter.js';
import type { Ground } from './ground.js';
import { e2 } from './queue.js';
import { naive } from './rows.js';

export const SUBSCRIBERS = 10;
const SCHEDULE = { warmUp: 3000, turn: 2000, rounds: 5, inFlight: 100 };

/** One event to ten subscribers, as fast as it goes. */
export async function throughput({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const contenders = [
    await forked(ours, 'outbox on SQLite', services.sqlite(), urls),
    await forked(e2, 'E2', await services.redis(), urls),
    await forked(ours, 'outbox on PostgreSQL', await services.postgres(), urls),
    await forked(e1, 'E1', urls),
    await forked(naive, 'N on SQLite', services.sqlite(), urls),
    await forked(naive, 'N on PostgreSQL', await services.postgres(), urls),
  ];
  const found = await measured(contenders, SCHEDULE);
  const of = (name: string) => found.get(name)!;
  const [sqlite, postgres] = [of('outbox on SQLite'), of('outbox on PostgreSQL')];
  reportRatio('outbox.sqlite-vs-e2', 'E2', ratio(sqlite, of('E2')), 5);
  reportRatio('outbox.postgres-vs-e2', 'E2', ratio(postgres, of('E2')), 4.5);
  reportRatio('outbox.sqlite-vs-naive', 'N', ratio(sqlite, of('N on SQLite')), 10);
  reportRatio('outbox.postgres-vs-naive', 'N', ratio(postgres, of('N on PostgreSQL')), 10);
}

/** Says how many deliveries a second each made, and ends them. */
export async function measured(
  contenders: readonly Forked[],
  schedule: Parameters<typeof rates>[1],
): Promise<Map<string, number[]>> {
  const found = await rates(contenders, schedule);
  for (const [name, values] of found) {
    console.error(`${name}: ${Math.round(median(values) * SUBSCRIBERS)} deliveries/s`);
  }
  for (const contender of contenders) await contender.stop();
  return found;
}
