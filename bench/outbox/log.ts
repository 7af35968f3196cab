import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MovableClock } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp } from '../../test/support/apps/outbox-app.js';
import { askedLists } from '../../test/support/log-filters.js';
import { analyzeTables } from '../../test/support/seed-due-deliveries.js';
import {
  LOG_END,
  OWNER_SIZES,
  seedLog,
  seedOwners,
  skewedMix,
} from '../../test/support/seed-log.js';
import { reportValue } from '../harness.js';
import type { Ground } from './ground.js';

const ROWS = Number(process.env['THORN_BENCH_ROWS'] ?? 1_000_000);
/** One of so many lists is asked for, which has all filters in turn: no period of theirs divides it. */
const SAMPLED = 101;
/** The best of so many answers counts. The machine may do something else meanwhile; what is slow by itself stays slow. */
const REPEATED = 5;
const DATABASES = { sqlite: 'file', postgres: 'postgres', mariadb: 'mariadb' } as const;

interface Report {
  readonly name: string;
  read(): Promise<unknown>;
}

/** What a report takes, in milliseconds. */
interface Cost {
  readonly name: string;
  readonly time: number;
  /** The longest time for which the event loop stood still. */
  readonly block: number;
}

/**
 * The slowest of the lists that filters can make, and the slowest figures, in a log of a million deliveries, or of as many as
 * `THORN_BENCH_ROWS` says. SQLite answers on the event loop: the longest block is reported as well.
 */
export async function log({ services }: Ground): Promise<void> {
  for (const database of ['sqlite', 'postgres', 'mariadb'] as const) {
    const app = await openOutboxApp(
      { options: await services[database]() },
      { worker: false, isLogged: false, clock: new MovableClock(LOG_END) },
    );
    await seed(app, DATABASES[database]);
    const lists = await costsOf(listsOf(app));
    const figures = await costsOf(figuresOf(app));
    await app.close();
    reportSlowest(`outbox.log-list-${database}`, lists, 'time', 20);
    reportSlowest(`outbox.log-figures-${database}`, figures, 'time', 700);
    if (database !== 'sqlite') continue;
    reportSlowest('outbox.log-block-sqlite', [...lists, ...figures], 'block', 50);
  }
}

async function seed(app: OutboxApp, kind: (typeof DATABASES)[keyof typeof DATABASES]) {
  await seedOwners(app, 30);
  await seedLog(app, kind, ROWS, 1, skewedMix(ROWS));
  // Of SQLite, applications hardly ever ask for statistics.
  if (kind !== 'file') await analyzeTables(app, kind);
}

function listsOf({ deliveries }: OutboxApp): readonly Report[] {
  return askedLists(ROWS)
    .filter((_, n) => n % SAMPLED === 0)
    .map(({ name, query, scope }) => ({ name, read: () => deliveries.list(query, scope) }));
}

function figuresOf({ reports }: OutboxApp): readonly Report[] {
  const until = new Date(LOG_END);
  const scopes = ['any', ...Object.keys(OWNER_SIZES).map((owner) => ({ owner }))] as const;
  return scopes.flatMap((scope) => {
    const whose = scope === 'any' ? 'all' : scope.owner;
    return [
      { name: `hours of ${whose}`, read: () => reports.figures({ by: 'hour', until }, scope) },
      { name: `days of ${whose}`, read: () => reports.figures({ by: 'day', until }, scope) },
    ];
  });
}

async function costsOf(reports: readonly Report[]): Promise<readonly Cost[]> {
  const costs: Cost[] = [];
  for (const { name, read } of reports) {
    let [time, block] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let n = 0; n < REPEATED; n++) {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      await new Promise(setImmediate);
      delay.enable();
      const began = performance.now();
      await read();
      time = Math.min(time, performance.now() - began);
      // The timer of the histogram is late by the block that came last.
      await new Promise(setImmediate);
      delay.disable();
      block = Math.min(block, delay.max / 1e6);
    }
    costs.push({ name, time, block });
  }
  return costs;
}

function reportSlowest(bench: string, costs: readonly Cost[], of: 'time' | 'block', goal: number) {
  const slowest = costs.reduce((one, other) => (other[of] > one[of] ? other : one));
  console.error(`${bench}: ${slowest.name}`);
  reportValue(bench, slowest[of], 'ms', goal);
}
