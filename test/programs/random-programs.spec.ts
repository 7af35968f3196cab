import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../support/seeded-random.js';
import type { OwnPostgres } from '../services/postgres.js';
import { printFigures } from '../support/print-figures.js';
import {
  createLoggedDatabase,
  PROGRAM_DATABASES,
  startDecodingPostgres,
} from '../support/programs/databases.js';
import { seedsOf } from '../support/programs/seeds.js';
import { Actor } from '../support/programs/program.js';
import { FAULTLESS, keepReport, ProgramRun } from '../support/programs/program-run.js';
import { LATE, SUBSCRIBERS } from '../support/programs/subscribers.js';
import { WRITE_NAMES } from '../support/programs/writes.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const SEEDS = seedsOf(IS_LONG ? 20 : 1);
const [ACTORS, TRANSACTIONS] = IS_LONG ? [6, 120] : [4, 40];

describe('random programs on several connections', () => {
  let postgres: OwnPostgres;
  beforeAll(async () => {
    postgres = await startDecodingPostgres();
  });
  afterAll(() => postgres.stop());

  it.for(PROGRAM_DATABASES.flatMap((kind) => SEEDS.map((seed) => ({ kind, seed }))))(
    'send exactly what $kind has committed, in order, seed $seed',
    { timeout: 180_000 },
    async ({ kind, seed }, { signal }) => {
      const { place, log } = await createLoggedDatabase(kind, postgres);
      const run = await ProgramRun.start({ place, log, seed, subscribers: SUBSCRIBERS });
      try {
        // On SQLite, another process that writes makes transactions fail which have only read by then.
        if (kind !== 'sqlite') await run.open();
        const actors = Array.from(
          { length: ACTORS },
          (_, at) =>
            new Actor(
              `a${at}`,
              run.apps[at % run.apps.length]!,
              seededRandom(seed * 101 + at),
              WRITE_NAMES,
            ),
        );
        const perform = (transactions: number) =>
          Promise.all(actors.map((actor) => actor.run(transactions, signal)));
        await run.whileHostsFail(async () => {
          await perform(TRANSACTIONS / 2);
          // A backfill leaves out what a worker still has in hand, and says so.
          await run.fannedOut();
          const filled = await enableLate(run);
          await Promise.all([filled(), perform(TRANSACTIONS / 2)]);
        });
        await run.settle();
        const report = await run.check();
        printFigures(`random programs on ${kind}, seed ${seed}`, report.counts);
        const faults = { ...report.faults, errors: actors.flatMap(({ errors }) => errors) };
        const file = keepReport(`${kind}-${seed}`, {
          ...{ faults, commits: report.commits, steps: actors.map(({ steps }) => steps) },
        });
        expect(faults, `what was done is in ${file}`).toEqual({ ...FAULTLESS, errors: [] });
      } finally {
        await run.close();
        await place.drop();
      }
    },
  );
});

/** Begins a backfill. What is sent once this has resolved comes behind. @returns waits for its end */
async function enableLate({ apps: [app] }: ProgramRun): Promise<() => Promise<unknown>> {
  const id = `sub_${LATE}`;
  await app!.subscribers.update(id, { enabled: true, updatedAt: new Date() }, 'any');
  const filling = app!.deliveries.backfill({ subscriberId: id, since: 1 }, 'any');
  const begun = app!.until('SELECT * FROM thorn_bulk_operations', (rows) => rows.length > 0);
  await Promise.race([filling, begun]);
  begun.catch(() => {});
  return () => filling;
}
