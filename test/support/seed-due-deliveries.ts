import type { DatabaseKind } from './databases.js';
import type { OutboxApp } from './apps/outbox-app.js';

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
  await rig.rows(`UPDATE thorn_messages SET lease = NULL, due_at = NULL WHERE id = '${id}'`);
  await copyMessage(rig, kind, id, `${id}-`, count, 'NULL');
  const host = hosts.map((name, at) => `WHEN ${at} THEN '${name}'`).join(' ');
  await rig.rows(
    `INSERT INTO thorn_deliveries (id, message_id, subscriber_id, event, status, attempts, throttled, requests, host, due_at, created_at) SELECT concat('dlv_${subscriber}', s.n), concat('${id}-', s.n), '${subscriber}', 'order.placed', 'pending', 0, 0, 0, CASE s.n % ${hosts.length} ${host} END, 1000 + s.n, 1 FROM ${series(kind, count)}`,
  );
}

/** Inserts messages without deliveries that are due and that no worker holds. */
export async function insertDueMessages(rig: OutboxApp, kind: DatabaseKind, count: number) {
  const { id } = await rig.send();
  await copyMessage(rig, kind, id, 'msg_due', count, '1000 + s.n');
}

/** Updates the database's statistics and writes its rows to disk, so that no later statement has to. */
export async function analyzeTables(rig: OutboxApp, kind: DatabaseKind): Promise<void> {
  if (kind === 'postgres') {
    await rig.rows('VACUUM ANALYZE');
    await rig.rows('CHECKPOINT');
  } else if (kind !== 'mariadb') {
    await rig.rows('ANALYZE');
    await rig.rows('PRAGMA wal_checkpoint(TRUNCATE)');
  } else {
    await rig.rows('ANALYZE TABLE thorn_messages, thorn_deliveries, thorn_attempts, thorn_health');
  }
}

async function copyMessage(
  rig: OutboxApp,
  kind: DatabaseKind,
  id: string,
  prefix: string,
  count: number,
  due: string,
) {
  await rig.rows(
    `INSERT INTO thorn_messages (id, event, time, audience, headers, settings, recipients, body, due_at) SELECT concat('${prefix}', s.n), event, time, audience, headers, settings, recipients, body, ${due} FROM thorn_messages, ${series(kind, count)} WHERE id = '${id}'`,
  );
}

function series(kind: DatabaseKind, count: number): string {
  if (kind === 'postgres') return `generate_series(1, ${count}) AS s(n)`;
  if (kind === 'mariadb') return `(SELECT seq AS n FROM seq_1_to_${count}) AS s`;
  return `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${count}) SELECT n FROM s) AS s`;
}
