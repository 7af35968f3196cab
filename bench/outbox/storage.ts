import { DataSource } from 'typeorm';
import { reportFigure, reportValue } from '../harness.js';
import { type Application, application } from './application.js';
import type { Ground } from './ground.js';
import { SUBSCRIBERS } from './throughput.js';

const EVENTS = 4000;
const IN_FLIGHT = 100;
const DELIVERIES = EVENTS * SUBSCRIBERS;

interface Index {
  readonly name: string;
  readonly table: string;
  readonly condition: string | null;
  readonly bytes: string;
}

/**
 * What PostgreSQL keeps and logs of events of 1 KiB to ten subscribers that all answer at once.
 *
 * Bytes are those of our tables with their indexes and TOAST tables (`pg_total_relation_size`), shared out over the
 * deliveries, once the last outcome is written. Nothing is vacuumed: dead rows count. WAL is the distance between two
 * positions of the whole server, so nothing else may use it. A checkpoint and some events come before, so that images of
 * whole pages do not count: pages that are new since a checkpoint have none.
 */
export async function storage({ services, endpoints }: Ground): Promise<void> {
  const options = await services.postgres();
  const one = await application('storage', options, endpoints.fast(SUBSCRIBERS));
  const database = await new DataSource(options).initialize();
  for (const name of await tablesIn(database)) {
    await database.query(`ALTER TABLE ${name} SET (autovacuum_enabled = false)`);
  }
  await database.query('CHECKPOINT');
  await send(one, IN_FLIGHT);
  const [{ start }] = await database.query('SELECT pg_current_wal_insert_lsn() AS start');
  const before = await bytesIn(database);
  await send(one, EVENTS);
  await one.stop();
  const [{ wal }] = await database.query(
    `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '${start}') AS wal`,
  );
  const bytes = (await bytesIn(database)) - before;
  reportValue('outbox.bytes-per-delivery', bytes / DELIVERIES, 'bytes', 450);
  reportValue('outbox.wal-per-delivery', Number(wal) / DELIVERIES, 'bytes', 600);
  await reportIndexes(database);
  await database.destroy();
}

async function send(one: Application, events: number): Promise<void> {
  let left = events;
  const work = async () => {
    while (left-- > 0) await one.once();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

/** Entries of rows that are there; those of dead rows count as bytes alone. */
async function reportIndexes(database: DataSource): Promise<void> {
  const deliveries = DELIVERIES + IN_FLIGHT * SUBSCRIBERS;
  const each = (value: number) => (value / deliveries).toFixed(2);
  let [entries, bytes] = [0, 0];
  for (const index of await indexesIn(database)) {
    const where = index.condition === null ? '' : `WHERE ${index.condition}`;
    const [{ count }] = await database.query(
      `SELECT COUNT(*) AS count FROM ${index.table} ${where}`,
    );
    console.error(`${index.name}: ${each(count)} entries of ${each(Number(index.bytes))} bytes`);
    if (index.table.endsWith('messages')) continue;
    entries += Number(count);
    bytes += Number(index.bytes);
  }
  for (const name of await tablesIn(database)) {
    const [{ size }] = await database.query(`SELECT pg_table_size('${name}') AS size`);
    console.error(`${name}: ${each(size)} bytes without indexes`);
  }
  reportValue('outbox.index-entries-per-delivery', entries / deliveries, 'entries', 2);
  reportFigure('outbox.index-bytes-per-delivery', bytes / deliveries, 'bytes');
}

async function tablesIn(database: DataSource): Promise<readonly string[]> {
  const rows: { readonly name: string }[] = await database.query(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relname LIKE 'thorn\\_%' ORDER BY relname",
  );
  return rows.map(({ name }) => name);
}

async function bytesIn(database: DataSource): Promise<number> {
  const [{ bytes }] = await database.query(
    "SELECT SUM(pg_total_relation_size(oid)) AS bytes FROM pg_class WHERE relkind = 'r' AND relname LIKE 'thorn\\_%'",
  );
  return Number(bytes);
}

function indexesIn(database: DataSource): Promise<readonly Index[]> {
  return database.query(
    `SELECT t.relname || ': ' || string_agg(a.attname, ', ' ORDER BY a.attnum) AS name, t.relname AS table,
        pg_get_expr(x.indpred, t.oid) AS condition, pg_relation_size(i.oid) AS bytes
      FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        JOIN pg_attribute a ON a.attrelid = i.oid
      WHERE t.relkind = 'r' AND t.relname LIKE 'thorn\\_%' GROUP BY i.oid, t.relname, t.oid, x.indpred ORDER BY name`,
  );
}
