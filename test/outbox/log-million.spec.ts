import { afterEach, expect, it } from 'vitest';
import type { AttemptHistory } from '../../lib/outbox/index.js';
import { keyOf } from '../../lib/outbox/tables/keys.js';
import { openOutboxApp, type OutboxApp } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { analyzeTables } from '../support/seed-due-deliveries.js';
import {
  LOG_END,
  OWNER_SIZES,
  seededSubscriber,
  seedLog,
  seedOwners,
} from '../support/seed-log.js';

/** More than figures look at. */
const ROWS = process.env['THORN_LONG'] === '1' ? 1_000_000 : 250_000;
const TIMES = { end: LOG_END, step: 1_000_000_000 / ROWS };

let place: TestDatabase;
let rig: OutboxApp;
afterEach(async () => {
  await rig.close();
  await place.drop();
});

it.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }, { kind: 'mariadb' }])(
  `counts every attempt since the time that figures of ${ROWS} deliveries on $kind name`,
  { timeout: 900_000 },
  async ({ kind }) => {
    place = await createDatabase(kind);
    rig = await openOutboxApp(place, { worker: false, isLogged: false });
    await seedOwners(rig);
    await seedLog(rig, kind, ROWS, 1, undefined, TIMES);
    await analyzeTables(rig, kind);
    const until = new Date(LOG_END);

    const all = (await rig.reports.figures({ by: 'day', until }, 'any'))!;
    expect(all.total).toMatchObject(await countedFrom(all, 'true'));
    expect(all.countedSince).toBeGreaterThan(all.since);

    const small = (await rig.reports.figures({ by: 'day', until }, { owner: 'small' }))!;
    const [first, count] = OWNER_SIZES['small']!;
    const ids = Array.from(
      { length: count },
      (_, n) => `'${keyOf('sub_', seededSubscriber(first + n))}'`,
    );
    const own = await countedFrom(small, `subscriber_id IN (${ids.join(', ')})`);
    expect(small.total).toMatchObject(own);
    expect(own.attempts).toBeGreaterThan(0);
  },
);

/** The attempts that figures have to name, by the database. */
async function countedFrom({ countedSince }: AttemptHistory, condition: string) {
  const [row] = await rig.rows(
    `SELECT SUM(requests) AS attempts, SUM(CASE WHEN status = 'succeeded' THEN 1 ELSE 0 END) AS succeeded
      FROM thorn_deliveries WHERE started_at >= ${countedSince - 1} AND ${condition}`,
  );
  const [attempts, succeeded] = [Number(row!['attempts']), Number(row!['succeeded'])];
  return { attempts, succeeded, failed: attempts - succeeded };
}
