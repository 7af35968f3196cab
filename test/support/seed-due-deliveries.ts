import type { Kind } from './databases.js';
import type { Rig } from './apps/outbox-app.js';

/** What is inserted: so many deliveries, and as many messages that are through. */
export interface Due {
  readonly count: number;
  readonly subscriber: string;
  readonly hosts: readonly string[];
}

/** Deliveries that nobody holds and whose time has come, spread over hosts. */
export async function insertDue(rig: Rig, kind: Kind, { count, subscriber, hosts }: Due) {
  const { id } = await rig.send();
  await rig.rows(`UPDATE thorn_messages SET lease = NULL, due_at = NULL WHERE id = '${id}'`);
  await copyMessage(rig, kind, id, `${id}-`, count, 'NULL');
  const host = hosts.map((name, at) => `WHEN ${at} THEN '${name}'`).join(' ');
  await rig.rows(
    `INSERT INTO thorn_deliveries (id, message_id, subscriber_id, event, status, attempts, throttled, requests, host, due_at, created_at) SELECT concat('dlv_${subscriber}', s.n), concat('${id}-', s.n), '${subscriber}', 'order.placed', 'pending', 0, 0, 0, CASE s.n % ${hosts.length} ${host} END, 1000 + s.n, 1 FROM ${series(kind, count)}`,
  );
}

/** Messages without deliveries that nobody holds and whose time has come. */
export async function insertDueMessages(rig: Rig, kind: Kind, count: number) {
  const { id } = await rig.send();
  await copyMessage(rig, kind, id, 'msg_due', count, '1000 + s.n');
}

/** Tells the database how many rows there are, and has them on the disk: else whoever comes next would write them out. */
export async function analyze(rig: Rig, kind: Kind): Promise<void> {
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
  rig: Rig,
  kind: Kind,
  id: string,
  prefix: string,
  count: number,
  due: string,
) {
  await rig.rows(
    `INSERT INTO thorn_messages (id, event, time, audience, headers, settings, recipients, body, due_at) SELECT concat('${prefix}', s.n), event, time, audience, headers, settings, recipients, body, ${due} FROM thorn_messages, ${series(kind, count)} WHERE id = '${id}'`,
  );
}

function series(kind: Kind, count: number): string {
  if (kind === 'postgres') return `generate_series(1, ${count}) AS s(n)`;
  if (kind === 'mariadb') return `(SELECT seq AS n FROM seq_1_to_${count}) AS s`;
  return `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${count}) SELECT n FROM s) AS s`;
}
