import { givenId, keyOf } from '../../lib/outbox/tables/keys.js';
import type { DatabaseKind } from './databases.js';
import type { OutboxApp } from './apps/outbox-app.js';

const TABLES = ['messages', 'pending_messages', 'deliveries', 'attempts', 'health'].map(
  (name) => `thorn_${name}`,
);

/** The rows to insert: so many deliveries, and as many finished messages. */
export interface DueDeliveries {
  readonly count: number;
  readonly subscriber: string;
  readonly hosts: readonly string[];
}

/** Inserts deliveries that are due and that no worker holds, spread over hosts. */
export async function insertDueDeliveries(
  rig: OutboxApp,
  kind: DatabaseKind,
  { count, subscriber, hosts }: DueDeliveries,
) {
  const { id } = await rig.send();
  await rig.rows(`DELETE FROM thorn_pending_messages WHERE id = '${keyOf('msg_', id)}'`);
  await copyMessage(rig, kind, id, count);
  const given = givenId('sub_', subscriber);
  const host = hosts.map((name, at) => `WHEN ${at} THEN '${name}'`).join(' ');
  await rig.rows(
    `INSERT INTO thorn_deliveries (id, message_id, subscriber_id, given_subscriber_id, event, status, attempts, throttled, requests, host, due_at) SELECT ${seededKey(kind, id)}, ${seededKey(kind, id)}, ${uuid(kind, `'${keyOf('sub_', subscriber)}'`)}, ${given === null ? 'NULL' : `'${given}'`}, 'order.placed', 'pending', 0, 0, 0, CASE s.n % ${hosts.length} ${host} END, 1000 + s.n FROM ${series(kind, count)}`,
  );
}

/** Inserts messages without deliveries that are due and that no worker holds. */
export async function insertDueMessages(rig: OutboxApp, kind: DatabaseKind, count: number) {
  const { id } = await rig.send();
  await copyMessage(rig, kind, id, count);
  await rig.rows(
    `INSERT INTO thorn_pending_messages (id, due_at) SELECT ${seededKey(kind, id)}, 1000 + s.n FROM ${series(kind, count)}`,
  );
}

/** Updates the database's statistics and writes its rows to disk, so that no later statement has to. */
export async function analyzeTables(
  rig: Pick<OutboxApp, 'rows'>,
  kind: DatabaseKind,
): Promise<void> {
  if (kind === 'postgres') {
    await rig.rows('VACUUM ANALYZE');
    await rig.rows('CHECKPOINT');
  } else if (kind !== 'mariadb') {
    await rig.rows('ANALYZE');
    await rig.rows('PRAGMA wal_checkpoint(TRUNCATE)');
  } else {
    // From all pages, and not once more in the background: a sample would give other plans by chance.
    for (const table of TABLES) {
      await rig.rows(`ALTER TABLE ${table} STATS_AUTO_RECALC = 0, STATS_SAMPLE_PAGES = 2000`);
    }
    await rig.rows(`ANALYZE TABLE ${TABLES.join(', ')}`);
  }
}

async function copyMessage(rig: OutboxApp, kind: DatabaseKind, id: string, count: number) {
  await rig.rows(
    `INSERT INTO thorn_messages (id, event, time, audience, headers, settings, recipients, body) SELECT ${seededKey(kind, id)}, event, time, audience, headers, settings, recipients, body FROM thorn_messages, ${series(kind, count)} WHERE id = '${keyOf('msg_', id)}'`,
  );
}

/** The key of row `s.n`: of the time of the message that was sent for it, with random bits of that message and of its own. */
function seededKey(kind: DatabaseKind, id: string): string {
  const key = keyOf('msg_', id);
  const random = 'substr(CAST(1000 + s.n % 1000 AS CHAR(4)), 2)';
  const number = 'substr(CAST(10000000 + s.n AS CHAR(8)), 2)';
  return uuid(kind, `concat('${key.slice(0, 15)}', ${random}, '${key.slice(18, 29)}', ${number})`);
}

function uuid(kind: DatabaseKind, text: string): string {
  return kind === 'postgres' || kind === 'mariadb' ? `CAST(${text} AS uuid)` : text;
}

function series(kind: DatabaseKind, count: number): string {
  if (kind === 'postgres') return `generate_series(1, ${count}) AS s(n)`;
  if (kind === 'mariadb') return `(SELECT seq AS n FROM seq_1_to_${count}) AS s`;
  return `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${count}) SELECT n FROM s) AS s`;
}
