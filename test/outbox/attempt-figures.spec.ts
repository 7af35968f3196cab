import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OwnerScope } from '../../lib/subscriber/index.js';
import { MovableClock } from '../../lib/testing/index.js';
import { openOutboxApp, type OutboxApp } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import {
  LOG_END,
  OWNER_SIZES,
  seededKey,
  seededSubscriber,
  seedLog,
  seedOwners,
  skewedMix,
} from '../support/seed-log.js';

/** Deliveries, one a minute: of all endpoints, more than one step looks at. */
const ROWS = 1500;
const HOUR = 60 * 60_000;
const SUBSCRIBERS = 270;

interface Attempt {
  readonly subscriber: number;
  readonly began: number;
  readonly status: number | null;
  readonly hasFailed: boolean;
  readonly duration: number | null;
}

describe.each<{ kind: DatabaseKind }>([
  { kind: 'memory' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('figures of attempts on $kind', ({ kind }) => {
  let place: TestDatabase;
  let rig: OutboxApp;
  beforeAll(async () => {
    place = await createDatabase(kind);
    rig = await openOutboxApp(place, { worker: false, clock: new MovableClock(LOG_END) });
    await seedOwners(rig);
    const even = { ...skewedMix(ROWS), subscriber: `(s.n % ${SUBSCRIBERS})` };
    await seedLog(rig, kind, ROWS, 1, even);
    // As a log that keeps failed attempts alone.
    await rig.rows(
      "UPDATE thorn_deliveries SET duration = NULL, started_at = NULL, response_status = NULL WHERE status = 'succeeded' AND duration < 20",
    );
  }, 120_000);
  afterAll(async () => {
    await rig.close();
    await place.drop();
  });

  /** What the tables have of the deliveries of a time, read row by row. */
  async function attemptsOf(since: number, until: number): Promise<readonly Attempt[]> {
    const key = (row: Record<string, unknown>, name: string) => String(row[name]).toLowerCase();
    const kept = await rig.rows('SELECT * FROM thorn_deliveries');
    const further = await rig.rows('SELECT * FROM thorn_attempts');
    const times = new Map(
      Array.from({ length: ROWS }, (_, n) => [seededKey(n + 1), LOG_END - (n + 1) * 60_000]),
    );
    const among = kept.filter((row) => {
      const time = times.get(key(row, 'id'))!;
      return time >= since && time < until;
    });
    return among.flatMap((row) => {
      const attempt = (one: Record<string, unknown>, began: unknown, status: unknown): Attempt => ({
        subscriber: Number(key(row, 'subscriber_id').slice(-12)),
        began: Number(began),
        status: status === null ? null : Number(status),
        hasFailed: one['error_code'] !== null || (status !== null && Number(status) >= 300),
        duration: one['duration'] === null ? null : Number(one['duration']),
      });
      const isCounted =
        row['duration'] !== null ||
        (Number(row['requests']) === 1 && row['status'] === 'succeeded');
      return [
        ...(isCounted
          ? [attempt(row, row['started_at'] ?? row['attempted_at'], row['response_status'])]
          : []),
        ...further
          .filter((one) => key(one, 'delivery_id') === key(row, 'id'))
          .map((one) => attempt(one, one['started_at'], one['status'])),
      ];
    });
  }

  it.each<{ who: string; scope: OwnerScope; first: number; count: number; one?: true }>([
    { who: 'everybody', scope: 'any', first: 0, count: SUBSCRIBERS },
    ...Object.entries(OWNER_SIZES).map(([owner, [first, count]]) => ({
      ...{ who: `an owner of ${count} endpoints`, scope: { owner }, first, count },
    })),
    { who: 'one endpoint', scope: 'any', first: 7, count: 1, one: true },
  ])('are those of the rows, for $who', async ({ scope, first, count, one }) => {
    const [since, until] = [LOG_END - 24 * HOUR, LOG_END - 2 * HOUR];
    const range = { since: new Date(since), until: new Date(until) };
    const subscriberId = one && seededSubscriber(first);
    const figures = (await rig.reports.figures({ ...range, ...(one && { subscriberId }) }, scope))!;
    const start = since - (since % HOUR);
    const rows = (await attemptsOf(start, until)).filter(
      ({ subscriber: n }) => n >= first && n < first + count,
    );
    const durations = rows
      .flatMap(({ status, duration }) => (status === null ? [] : duration!))
      .sort((a, b) => a - b);
    expect(rows.length).toBeGreaterThan(0);
    expect(figures.items.every(({ isComplete }) => isComplete)).toBe(true);
    expect(figures.total).toMatchObject({
      attempts: rows.length,
      succeeded: rows.filter(({ hasFailed }) => !hasFailed).length,
      failed: rows.filter(({ hasFailed }) => hasFailed).length,
      p50: durations[Math.ceil(durations.length * 0.5) - 1],
      p95: durations[Math.ceil(durations.length * 0.95) - 1],
    });
    expect(figures.items.map(({ attempts }) => attempts)).toEqual(
      figures.items.map(
        ({ at }) => rows.filter(({ began }) => began >= at && began < at + HOUR).length,
      ),
    );
  });

  it.each(Object.keys(OWNER_SIZES))('of each endpoint are a part of all, for %s', async (owner) => {
    const { figures, items } = await rig.reports.overview({ owner });
    const [first, count] = OWNER_SIZES[owner]!;
    const dayAgo = LOG_END - 24 * HOUR;
    const rows = (await attemptsOf(dayAgo - (dayAgo % HOUR), LOG_END)).filter(
      ({ subscriber: n }) => n >= first && n < first + count,
    );
    expect(figures!.total.attempts).toBe(rows.length);
    for (const { subscriber: shown, lastDay } of items) {
      const own = rows.filter(({ subscriber: n }) => seededSubscriber(n) === shown.id);
      const failures = own.filter(({ hasFailed }) => hasFailed);
      const latest = Math.max(...failures.map(({ began }) => began));
      expect(lastDay).toEqual({
        attempts: own.length,
        failed: failures.length,
        failedAt: failures.length === 0 ? null : latest,
      });
    }
  });
});
