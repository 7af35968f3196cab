import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataSourceOptions } from 'typeorm';
import { type ContenderModule, forked } from './contenders/forked.js';
import { reportRatio } from './harness.js';
import { application, ours } from './outbox/application.js';
import { type Ground, runParts } from './outbox/ground.js';
import { ratioOf } from './outbox/latency.js';
import { measured, SUBSCRIBERS } from './outbox/throughput.js';
import { partsOf } from './parts.js';

/** Long, since the two differ by little. */
const SCHEDULE = { warmUp: 4000, turn: 2000, rounds: 21, inFlight: 100 };
const GOAL = 0.97;

/**
 * The outbox of this checkout against that of another one, by turns: one event to ten subscribers. The variable
 * `THORN_BENCH_BEFORE` names the other checkout, in which `npx tsc -p bench/tsconfig.json` has run.
 *
 * @param wanted names of parts; all when there are none
 */
export async function run(wanted: readonly string[]): Promise<void> {
  const other = process.env['THORN_BENCH_BEFORE'];
  if (other === undefined) {
    throw new Error(
      'THORN_BENCH_BEFORE must name a checkout to compare with, whose bench is built',
    );
  }
  const built = join(other, '.cache', 'bench', 'bench', 'outbox', 'application.js');
  const theirs = { url: pathToFileURL(built).href, open: application };
  const parts = partsOf<Ground>(
    'before',
    {
      sqlite: (ground) => compare('sqlite', theirs, async () => ground.services.sqlite(), ground),
      postgres: (ground) => compare('postgres', theirs, () => ground.services.postgres(), ground),
    },
    wanted,
  );
  await runParts(parts);
}

async function compare(
  place: string,
  theirs: ContenderModule<Parameters<typeof application>>,
  options: () => Promise<DataSourceOptions>,
  { endpoints }: Ground,
): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const found = await measured(
    [
      await forked(ours, 'now', await options(), urls),
      await forked(theirs, 'before', await options(), urls),
    ],
    SCHEDULE,
  );
  reportRatio(`before.${place}`, 'before', ratioOf(found, 'now', 'before'), GOAL);
}
