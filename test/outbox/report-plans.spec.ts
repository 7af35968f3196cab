import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import { EventHistory, type FanOut } from '../../lib/dispatch/index.js';
import { EventCatalogue } from '../../lib/event/index.js';
import type { WebhookFormats } from '../../lib/message/index.js';
import { DeliveryReports } from '../../lib/outbox/index.js';
import { MovableClock } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { type AskedList, askedLists } from '../support/log-filters.js';
import { listFaults, planFaults } from '../support/plan-faults.js';
import { printFigures } from '../support/print-figures.js';
import { analyzeTables } from '../support/seed-due-deliveries.js';
import {
  LOG_END,
  OWNER_SIZES,
  seededKey,
  seededSubscriber,
  seedLog,
  skewedMix,
} from '../support/seed-log.js';

type Report = readonly [name: string, run: () => Promise<unknown>];

const IS_LONG = process.env['THORN_LONG'] === '1';
const ROWS = IS_LONG ? 200_000 : 25_000;
/** How many times as large the log gets. */
const GROWTH = IS_LONG ? 10 : 4;
/** Reports that look at as much as they can in this time, in milliseconds, whatever the size of the log. */
const BUDGET = 700;
/** Milliseconds that a list may take. */
const LIST_TIME = 20;
/** One of so many lists is looked at, which has all filters in turn: no period of theirs divides it. */
const SAMPLED = IS_LONG ? 7 : 31;
/** Milliseconds that say nothing about the size of the log. */
const NOTHING = IS_LONG ? 60 : 40;

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
    const rows = IS_LONG ? 1_000_000 : ROWS;
    place = await createDatabase(kind);
    rig = await openOutboxApp(place, { worker: false, clock: new MovableClock(LOG_END) });
    for (const [owner, [first, count]] of Object.entries(OWNER_SIZES)) {
      for (let n = first; n < first + count; n++) {
        const url = `https://host-${n % 30}.example/`;
        await rig.subscribers.create(subscriber(url, { id: seededSubscriber(n), owner }));
      }
    }
    await seedLog(rig, kind, rows, 1, skewedMix(rows));
    // Of SQLite, applications hardly ever ask for statistics.
    if (kind !== 'file') await analyzeTables(rig, kind);
    rig.log.queries.length = 0;
    const lists = askedLists(rows);
    for (const { query, scope } of lists.filter((_, n) => n % SAMPLED === 0)) {
      await rig.deliveries.list(query, scope);
    }
    const asked = [...new Map(rig.log.queries.map((one) => [one.sql, one])).values()].filter(
      ({ sql }) => /^\s*SELECT/i.test(sql),
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

    // A figure of time: it says something on a machine that has nothing else to do.
    if (!IS_LONG) return;
    const took = new Map<AskedList, number>();
    const ask = async (some: readonly AskedList[]) => {
      for (const list of some) {
        const { took: time } = await costOf(
          () => rig.deliveries.list(list.query, list.scope),
          kind,
        );
        took.set(list, Math.min(took.get(list) ?? Number.POSITIVE_INFINITY, time));
      }
    };
    await ask(lists);
    // The machine may have done something else meanwhile. What is slow by itself stays slow.
    for (let round = 0; round < 5; round++) {
      await ask(lists.filter((list) => took.get(list)! > LIST_TIME));
    }
    const slowest = [...took]
      .map(([{ name }, time]) => [name, time] as const)
      .toSorted(([, one], [, other]) => other - one);
    printFigures(
      `milliseconds of the slowest lists of ${rows} deliveries on ${kind}`,
      Object.fromEntries(slowest.slice(0, 20)),
    );
    expect(slowest.filter(([, time]) => time > LIST_TIME)).toEqual([]);
  });

  it(
    'look at a part of the log, by indexes, and cost no more when the log grows',
    { timeout: 900_000 },
    async () => {
      place = await createDatabase(kind);
      rig = await openOutboxApp(place, {
        worker: false,
        history: true,
        clock: new MovableClock(LOG_END),
      });
      for (const [owner, [first, count]] of Object.entries(OWNER_SIZES)) {
        for (let n = first; n < first + count; n++) {
          await rig.subscribers.create(
            subscriber(`https://host-${n}.example/`, { id: seededSubscriber(n), owner }),
          );
        }
      }
      await seedLog(rig, kind, ROWS);
      // As if one transaction had sent them.
      await rig.rows('UPDATE thorn_messages SET position = 1');
      // Of SQLite, applications hardly ever ask for statistics.
      if (kind !== 'file') await analyzeTables(rig, kind);
      expect(await faultsOf(rig, kind)).toEqual([]);

      // Elsewhere the cost is the plan's, and rows take long to write.
      if (kind !== 'file' && !IS_LONG) return;
      const small = await costsOf(rig, kind);
      await seedLog(rig, kind, ROWS * GROWTH, ROWS + 1);
      await rig.rows('UPDATE thorn_messages SET position = 1');
      if (kind !== 'file') await analyzeTables(rig, kind);
      const large = await costsOf(rig, kind);
      printFigures(
        `milliseconds of reports of ${ROWS} deliveries on ${kind}, and of ${GROWTH} times as many`,
        Object.fromEntries(
          Object.entries(large).flatMap(([name, { took }]) => [
            [name, small[name]!.took],
            [`${name}, ${GROWTH} times`, took],
          ]),
        ),
      );
      for (const [name, { took, blocked }] of Object.entries(large)) {
        const most = /figures|history|recover/.test(name) ? BUDGET : NOTHING;
        expect(took, name).toBeLessThan(Math.max(small[name]!.took * 2, most));
        // Other work of the machine would count as well.
        if (IS_LONG && kind === 'file') expect(blocked, name).toBeLessThan(50);
      }
      await analyzeTables(rig, kind);
      expect(await faultsOf(rig, kind)).toEqual([]);
    },
  );
});

/** What is wrong with the plans of the statements that the reports run, as they run them. */
async function faultsOf(rig: OutboxApp, kind: DatabaseKind): Promise<readonly string[]> {
  rig.log.queries.length = 0;
  for (const [, run] of reportsOf(rig)) await run();
  const asked = [...new Map(rig.log.queries.map((one) => [one.sql, one])).values()].filter(
    ({ sql }) => /^\s*SELECT/i.test(sql),
  );
  expect(asked.length).toBeGreaterThan(30);
  const faults: string[] = [];
  for (const { sql, parameters } of asked) {
    const found = await planFaults(rig, kind, sql, parameters);
    faults.push(...found.map((fault) => `${fault}: ${sql.slice(0, 1000)}`));
  }
  return faults;
}

/** Everything that looks at the log on behalf of the REST APIs, the page, the metrics and the command. */
function reportsOf(rig: OutboxApp): readonly Report[] {
  const { deliveries, strategy, subscribers, clock } = rig;
  const reports = new DeliveryReports(
    strategy,
    deliveries,
    subscribers,
    {} as FanOut,
    {} as WebhookFormats,
    clock,
  );
  const id = (age: number) => `dlv_${seededKey(age)}`;
  const queries: Readonly<Record<string, Parameters<typeof deliveries.list>[0]>> = {
    all: {},
    failed: { status: 'failed' },
    pending: { status: 'pending' },
    'a page of pending': { status: 'pending', limit: 5 },
    succeeded: { status: 'succeeded' },
    '5xx': { statusClass: '5xx' },
    timeout: { statusClass: 'timeout' },
    'no event': { event: 'none.*' },
    'failed of an event': { status: 'failed', event: 'stock.low' },
    'a message': { messageId: `msg_${seededKey(471)}` },
    'a delivery': { deliveryId: id(10) },
    'a time': { since: LOG_END - 3_600_000, until: LOG_END - 60_000, event: 'none.*' },
  };
  const scopes = ['any', ...Object.keys(OWNER_SIZES).map((owner) => ({ owner }))] as const;
  const nameOf = (scope: (typeof scopes)[number]) => (scope === 'any' ? 'any' : scope.owner);
  const until = new Date(LOG_END);
  return [
    ...scopes.flatMap((scope) =>
      Object.entries(queries).map<Report>(([name, query]) => [
        `list ${name} of ${nameOf(scope)}`,
        () => deliveries.list({ limit: 50, ...query }, scope),
      ]),
    ),
    ...[0, 5].map(seededSubscriber).flatMap((subscriberId): Report[] => [
      [`list ${subscriberId}`, () => deliveries.list({ subscriberId, limit: 50 }, 'any')],
      [
        `list pending of ${subscriberId}`,
        () => deliveries.list({ subscriberId, status: 'pending' }, 'any'),
      ],
      [
        `list page of ${subscriberId}`,
        () => deliveries.list({ subscriberId, after: id(50) }, 'any'),
      ],
      [`history of ${subscriberId}`, () => deliveries.history({ subscriberId, days: 90 }, 'any')],
      [
        `figures of ${subscriberId}`,
        () => reports.figures({ subscriberId, by: 'day', until }, 'any'),
      ],
    ]),
    ...scopes.flatMap((scope): Report[] => [
      [`figures by hour of ${nameOf(scope)}`, () => reports.figures({ by: 'hour', until }, scope)],
      [`figures by day of ${nameOf(scope)}`, () => reports.figures({ by: 'day', until }, scope)],
      [`endpoints of ${nameOf(scope)}`, () => reports.endpoints(scope)],
    ]),
    ...scopes.map((scope): Report => {
      const history = new EventHistory(strategy, new EventCatalogue(), clock);
      return [
        `history of events of ${nameOf(scope)}`,
        async () => {
          const { next } = await history.page({ limit: 50 }, scope);
          await history.page({ after: next, event: 'none.*' }, scope);
          await history.page({ after: 'now' }, scope);
        },
      ];
    }),
    ['stats', () => deliveries.stats()],
    ['failing', () => reports.failing()],
    ['failing, counted', () => reports.countFailing()],
    ['one delivery', () => deliveries.findById(id(10), 'any')],
    ['one endpoint', () => reports.endpoint(seededSubscriber(0), 'any')],
    [
      'filter preview',
      () =>
        reports.previewFilter({
          owner: 'small',
          events: ['*'],
          exclude: [],
          filter: { total: { gt: 100 } },
        }),
    ],
    [
      'recover, counted',
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
    ],
  ];
}

interface Cost {
  /** Milliseconds; on SQLite of the processor, whatever else the machine does. */
  readonly took: number;
  /** The longest time for which the event loop stood still, in milliseconds. */
  readonly blocked: number;
}

/** The costs of each report. */
async function costsOf(rig: OutboxApp, kind: DatabaseKind): Promise<Record<string, Cost>> {
  const costs: Record<string, Cost> = {};
  for (const [name, run] of reportsOf(rig)) costs[name] = await costOf(run, kind);
  return costs;
}

/** The cheapest of three runs. */
async function costOf(run: () => Promise<unknown>, kind: DatabaseKind): Promise<Cost> {
  const runs: Cost[] = [];
  for (let n = 0; n < 3; n++) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    await new Promise(setImmediate);
    delay.enable();
    const [began, used] = [performance.now(), process.cpuUsage()];
    await run();
    const { user, system } = process.cpuUsage(used);
    const took = kind === 'file' ? (user + system) / 1000 : performance.now() - began;
    delay.disable();
    runs.push({ took, blocked: delay.max / 1e6 });
  }
  return {
    took: Math.min(...runs.map((one) => one.took)),
    blocked: Math.min(...runs.map((one) => one.blocked)),
  };
}
