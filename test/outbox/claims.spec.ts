import { afterEach, describe, expect, it } from 'vitest';
import { ThornDelivery } from '../../lib/outbox/tables/entities.js';
import { idFrom } from '../../lib/outbox/tables/keys.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import {
  analyzeTables,
  insertDueDeliveries,
  insertDueMessages,
} from '../support/seed-due-deliveries.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { Receiver } from '../support/receiver.js';
import {
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
  subscriber,
} from '../support/apps/outbox-app.js';
import { failWaiting } from '../../lib/outbox/record/fail-waiting.js';

const ROWS = 20_000;
const LEASE = 2000;

interface Asked {
  readonly sql: string;
  readonly parameters: unknown[];
}

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rigs: OutboxApp[];

afterEach(async () => {
  for (const rig of rigs) await rig.close();
  await receiver.stop();
  await place.drop();
});

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('claims on $kind', ({ kind }) => {
  it('reads no more rows than it claims, however many are due', async () => {
    [place, receiver, rigs] = [await createDatabase(kind), await ScriptedReceiver.start(), []];
    const rig = await openOutboxApp(place, { worker: false });
    rigs.push(rig);
    const { id } = await rig.subscribers.create(subscriber(receiver.url));
    const hosts = Array.from({ length: 30 }, (_, at) => `nowhere-${at}.example:80`);
    await insertDueDeliveries(rig, kind, { count: ROWS, subscriber: id, hosts });
    await insertDueMessages(rig, kind, ROWS);
    await analyzeTables(rig, kind);

    const asked = await whatWorkersAsk(rig);
    for (const name of [
      /RECURSIVE|GROUP BY host/,
      /ORDER BY due_at LIMIT 1\)/,
      /SET lease = .*due_at = /,
    ]) {
      expect(asked.some(({ sql }) => name.test(sql))).toBe(true);
    }
    for (const one of asked) {
      if (kind === 'file') expect(await plan(rig, one), one.sql).not.toMatch(SCANS);
      else expect(await examined(rig, kind, one), one.sql).toBeLessThan(ROWS / 16);
    }
  });

  it('renews the lease of a message whose delivery takes longer than the lease', async () => {
    [place, receiver, rigs] = [await createDatabase(kind), await ScriptedReceiver.start(), []];
    const rig = await openOutboxApp(place, { lease: LEASE });
    rigs.push(rig);
    const endpoint = await Receiver.start();
    let answer = () => {};
    endpoint.hold = new Promise<void>((resolve) => (answer = resolve));
    await rig.subscribers.create(subscriber(endpoint.url));
    await rig.send();
    await endpoint.waitFor(1);
    const held = rig.strategy.store.heldMessages.all()[0]!;
    const { leasedUntil: first, token } = held;
    const isRenewed = () => held.leasedUntil > first + LEASE;
    // Time enough to write the outcome under the same lease.
    const isFresh = () => held.leasedUntil > Date.now() + LEASE / 2;
    await expect.poll(() => isRenewed() && isFresh()).toBe(true);
    // A lease that had ended would have been claimed anew.
    expect(held.token).toBe(token);
    answer();
    await rig.until(
      'SELECT status FROM thorn_deliveries',
      ([row]) => row?.['status'] === 'succeeded',
    );
    expect(endpoint.requests).toHaveLength(1);
    await endpoint.stop();
  });

  it('ends the waiting deliveries of a subscriber without reading its finished ones', async () => {
    [place, receiver, rigs] = [await createDatabase(kind), await ScriptedReceiver.start(), []];
    const asked: Asked[] = [];
    const rig = await openOutboxApp(place, {
      worker: false,
      isLogged: false,
      prepare: noting(asked),
    });
    rigs.push(rig);
    await insertDueDeliveries(rig, kind, {
      count: ROWS,
      subscriber: 'old',
      hosts: ['nowhere.example:80'],
    });
    await rig.rows(
      `UPDATE thorn_deliveries SET status = 'succeeded', host = NULL, due_at = NULL, finished_at = 1 WHERE due_at % 1000 <> 0`,
    );
    await analyzeTables(rig, kind);
    asked.length = 0;

    const ended = await failWaiting(
      rig.strategy.store,
      { subscriberId: 'old', reason: 'disabled' },
      rig.clock,
    );
    expect(ended).toBe(ROWS / 1000);
    const pick = asked.find(({ sql }) => sql.startsWith('SELECT id'));
    if (kind === 'file') expect(await plan(rig, pick!)).toContain(waitingIndex(rig));
    else expect(await examined(rig, kind, pick!)).toBeLessThan(ROWS / 16);
  });

  it('lists the newest failed deliveries without sorting them', async () => {
    [place, receiver, rigs] = [await createDatabase(kind), await ScriptedReceiver.start(), []];
    const asked: Asked[] = [];
    const rig = await openOutboxApp(place, {
      worker: false,
      isLogged: false,
      prepare: noting(asked),
    });
    rigs.push(rig);
    await insertDueDeliveries(rig, kind, {
      count: ROWS,
      subscriber: 'old',
      hosts: ['nowhere.example:80'],
    });
    await rig.rows(
      `UPDATE thorn_deliveries SET status = 'failed', reason = CASE due_at % 2 WHEN 0 THEN 'exhausted' ELSE 'disabled' END, host = NULL, due_at = NULL, finished_at = 1`,
    );
    await analyzeTables(rig, kind);
    asked.length = 0;

    const { items } = await rig.deliveries.list({ status: 'failed', limit: 3 }, 'any');
    const newest = await rig.rows('SELECT id FROM thorn_deliveries ORDER BY id DESC LIMIT 3');
    expect(items.map(({ id }) => id)).toEqual(newest.map(({ id }) => idFrom('dlv_', id, null)));
    const [page] = asked;
    if (kind === 'file') {
      // One sort for each reason, that of its few that are left: they come out of the index in their order.
      expect((await plan(rig, page!)).match(/TEMP B-TREE/g)).toHaveLength(6);
    } else expect(await examined(rig, kind, page!)).toBeLessThan(ROWS / 16);
  });
});

/** Notes the statements on our tables that a data source is asked. */
function noting(asked: { push(one: Asked): unknown }): NonNullable<OutboxAppOptions['prepare']> {
  return ({ logger }) => {
    logger.logQuery = (sql, parameters) => {
      if (/thorn_/.test(sql) && parameters !== undefined) {
        asked.push({ sql, parameters: parameters as unknown[] });
      }
    };
  };
}

/** Every statement on our tables that a worker makes until some of what is due was delivered; each of them once. */
async function whatWorkersAsk({ subscribers }: OutboxApp): Promise<readonly Asked[]> {
  const asked = new Map<string, Asked>();
  const worker = await openOutboxApp(place, {
    subscribers,
    prepare: noting({ push: (one) => asked.set(one.sql, one) }),
  });
  rigs.push(worker);
  await receiver.waitFor(300);
  await worker.close();
  rigs.pop();
  return [...asked.values()];
}

/** A table that is gone through, and not by an index. */
const SCANS = /SCAN (?!.*USING (?:COVERING )?INDEX)(?:TABLE )?(?:thorn_|[dmth]\b)/;

async function plan(rig: OutboxApp, { sql, parameters }: Asked): Promise<string> {
  const rows = await rig.rows(`EXPLAIN QUERY PLAN ${sql}`, parameters);
  return rows.map(({ detail }) => String(detail)).join('\n');
}

/** How many rows the database reads for a statement, which is not kept. */
async function examined(
  rig: OutboxApp,
  kind: DatabaseKind,
  { sql, parameters }: Asked,
): Promise<number> {
  const runner = rig.dataSource.createQueryRunner();
  await runner.query('BEGIN');
  try {
    if (kind === 'postgres') {
      const rows = await runner.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, parameters);
      return rowsOf((rows as { 'QUERY PLAN': [{ Plan: PlanNode }] }[])[0]!['QUERY PLAN'][0].Plan);
    }
    await runner.query('FLUSH STATUS');
    await runner.query(sql, parameters);
    const counts = await runner.query(`SHOW SESSION STATUS LIKE 'Handler_read%'`);
    return (counts as { Value: string }[]).reduce((sum, { Value }) => sum + Number(Value), 0);
  } finally {
    await runner.query('ROLLBACK');
    await runner.release();
  }
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

function rowsOf(node: PlanNode): number {
  const removed = node['Rows Removed by Filter'] ?? 0;
  const own = /Scan/.test(node['Node Type']) ? node['Actual Rows'] + removed : 0;
  const below = (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), 0);
  return own * node['Actual Loops'] + below;
}

function waitingIndex({ dataSource }: OutboxApp): string {
  const columns = ['subscriber_id', 'due_at'].join();
  const { indices } = dataSource.getMetadata(ThornDelivery);
  return indices.find(
    (index) => index.columns.map((column) => column.databaseName).join() === columns,
  )!.name;
}
