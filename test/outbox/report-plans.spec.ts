import { afterEach, describe, expect, it } from 'vitest';
import { EventHistory } from '../../lib/dispatch/index.js';
import { EventCatalogue } from '../../lib/event/index.js';
import { MovableClock } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { askedLists } from '../support/log-filters.js';
import { listFaults, planFaults, stepFaults } from '../support/plan-faults.js';
import { analyzeTables } from '../support/seed-due-deliveries.js';
import {
  LOG_END,
  OWNER_SIZES,
  seededKey,
  seededSubscriber,
  SEEDED_SUBJECTS,
  seedLog,
  seedOwners,
  skewedMix,
} from '../support/seed-log.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
/** More than one statement may read by far. */
const ROWS = IS_LONG ? 1_000_000 : 125_000;
/** One of so many lists is looked at, which has all filters in turn: no period of theirs divides it. */
const SAMPLED = IS_LONG ? 7 : 31;

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('reports on $kind', ({ kind }) => {
  let place: TestDatabase;
  let rig: OutboxApp;
  afterEach(async () => {
    await rig.close();
    await place.drop();
  });

  it('answer every combination of filters from few rows', { timeout: 3_000_000 }, async () => {
    place = await createDatabase(kind);
    rig = await openOutboxApp(place, { worker: false, clock: new MovableClock(LOG_END) });
    await seedOwners(rig, 30);
    await seedLog(rig, kind, ROWS, 1, skewedMix(ROWS));
    // Of SQLite, applications hardly ever ask for statistics.
    if (kind !== 'file') await analyzeTables(rig, kind);
    rig.log.queries.length = 0;
    for (const { query, scope } of askedLists(ROWS).filter((_, n) => n % SAMPLED === 0)) {
      await rig.deliveries.list(query, scope);
    }
    const asked = [...new Map(rig.log.queries.map((one) => [one.sql, one])).values()].filter(
      ({ sql }) => /^\s*(?:SELECT|WITH)/i.test(sql),
    );
    expect(asked.length).toBeGreaterThan(100);
    const faults: string[] = [];
    for (const { sql, parameters } of asked) {
      const found = [
        ...(await planFaults(rig, kind, sql, parameters)),
        ...(await listFaults(rig, kind, sql, parameters)),
      ];
      faults.push(...found.map((fault) => `${fault}: ${sql.slice(0, 1500)}`));
    }
    expect(faults).toEqual([]);
  });

  it(
    'look at a part of the log, by indexes, however large it is',
    { timeout: 900_000 },
    async () => {
      place = await createDatabase(kind);
      rig = await openOutboxApp(place, {
        worker: false,
        history: true,
        clock: new MovableClock(LOG_END),
      });
      await seedOwners(rig);
      await seedLog(rig, kind, ROWS);
      // As if one transaction had sent them.
      await rig.rows('UPDATE thorn_messages SET position = 1');
      // Of SQLite, applications hardly ever ask for statistics.
      if (kind === 'file') expect(await faultsOf(rig, kind)).toEqual([]);
      await analyzeTables(rig, kind);
      expect(await faultsOf(rig, kind)).toEqual([]);
    },
  );
});

/** What is wrong with the plans of the statements that the reports run, as they run them. */
async function faultsOf(rig: OutboxApp, kind: DatabaseKind): Promise<readonly string[]> {
  rig.log.queries.length = 0;
  for (const run of reportsOf(rig)) await run();
  const asked = [...new Map(rig.log.queries.map((one) => [one.sql, one])).values()].filter(
    ({ sql }) => /^\s*(?:SELECT|WITH)/i.test(sql),
  );
  expect(asked.length).toBeGreaterThan(30);
  const faults: string[] = [];
  for (const { sql, parameters } of asked) {
    const found = [
      ...(await planFaults(rig, kind, sql, parameters)),
      ...(await stepFaults(rig, kind, sql, parameters)),
    ];
    faults.push(...found.map((fault) => `${fault}: ${sql.slice(0, 1000)}`));
  }
  return faults;
}

/** Everything that looks at the log on behalf of the REST APIs, the page, the metrics and the command. */
function reportsOf(rig: OutboxApp): readonly (() => Promise<unknown>)[] {
  const { deliveries, reports, strategy, clock } = rig;
  const id = (age: number) => `dlv_${seededKey(age)}`;
  const queries: readonly Parameters<typeof deliveries.list>[0][] = [
    {},
    { status: 'failed' },
    { status: 'pending' },
    { status: 'pending', limit: 5 },
    { status: 'succeeded' },
    { event: 'none.*' },
    { status: 'failed', event: 'stock.low' },
    { messageId: `msg_${seededKey(471)}` },
    { deliveryId: id(10) },
    { subject: SEEDED_SUBJECTS.often },
    { subject: SEEDED_SUBJECTS.rare },
    { subject: SEEDED_SUBJECTS.often, status: 'failed', event: 'none.*' },
    { subject: SEEDED_SUBJECTS.rare, messageId: `msg_${seededKey(471)}` },
    { subject: 'nowhere', status: 'failed' },
    { since: LOG_END - 3_600_000, until: LOG_END - 60_000, event: 'none.*' },
  ];
  const scopes = ['any', ...Object.keys(OWNER_SIZES).map((owner) => ({ owner }))] as const;
  const until = new Date(LOG_END);
  return [
    ...scopes.flatMap((scope) =>
      queries.map((query) => () => deliveries.list({ limit: 50, ...query }, scope)),
    ),
    ...[0, 5]
      .map(seededSubscriber)
      .flatMap((subscriberId) => [
        () => deliveries.list({ subscriberId, limit: 50 }, 'any'),
        () => deliveries.list({ subscriberId, status: 'pending' }, 'any'),
        () => deliveries.list({ subscriberId, after: id(50) }, 'any'),
        () => deliveries.history({ subscriberId, days: 90 }, 'any'),
        () => reports.figures({ subscriberId, by: 'day', until }, 'any'),
      ]),
    ...scopes.flatMap((scope) => [
      () => reports.figures({ by: 'hour', until }, scope),
      () => reports.figures({ by: 'day', until }, scope),
      () => reports.endpoints(scope),
    ]),
    ...scopes.map((scope) => async () => {
      const history = new EventHistory(strategy, new EventCatalogue(), clock);
      const { next } = await history.page({ limit: 50 }, scope);
      await history.page({ after: next, event: 'none.*' }, scope);
      await history.page({ after: 'now' }, scope);
    }),
    () => deliveries.stats(),
    () => reports.failing(),
    () => deliveries.findById(id(10), 'any'),
    () => reports.endpoint(seededSubscriber(0), 'any'),
    () =>
      reports.previewFilter({
        owner: 'small',
        events: ['*'],
        exclude: [],
        filter: { total: { gt: 100 } },
      }),
    () =>
      deliveries.retryFailed(
        {
          subscriberId: seededSubscriber(0),
          since: 0,
          dryRun: true,
          signal: AbortSignal.timeout(50),
        },
        'any',
      ),
  ];
}
