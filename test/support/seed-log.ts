import type { DatabaseKind } from './databases.js';
import type { OutboxApp } from './apps/outbox-app.js';

/** The time of the newest delivery, in milliseconds since the Unix epoch. */
export const LOG_END = 1_790_000_000_000;
/** Milliseconds: a delivery each. */
const STEP = 60_000;

/** Owners with their first subscriber and the number of them: one of many, one of few, and one of more than a search has branches. */
export const OWNER_SIZES: Readonly<Record<string, readonly [first: number, count: number]>> = {
  large: [0, 100],
  small: [100, 20],
  crowd: [120, 150],
};
const SUBSCRIBERS = 270;

export function seededSubscriber(n: number): string {
  return `sub_01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;
}

/** The key of a delivery, and of its message. */
export function seededKey(age: number): string {
  const stamp = (LOG_END - age * STEP).toString(16).padStart(12, '0');
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7000-8000-${String(age).padStart(12, '0')}`;
}

interface Sql {
  readonly series: (first: number, last: number) => string;
  readonly hex: string;
  uuid(text: string): string;
}

const TIME = `(${LOG_END} - s.n * ${STEP})`;

const SQL: Readonly<Record<DatabaseKind, Sql>> = {
  memory: sqlite(),
  file: sqlite(),
  postgres: {
    series: (first, last) => `generate_series(${first}::bigint, ${last}::bigint) AS s(n)`,
    hex: `lpad(to_hex(${TIME}), 12, '0')`,
    uuid: (text) => `CAST(${text} AS uuid)`,
  },
  mariadb: {
    series: (first, last) => `(SELECT seq AS n FROM seq_${first}_to_${last}) AS s`,
    hex: `LOWER(LPAD(HEX(${TIME}), 12, '0'))`,
    uuid: (text) => `CAST(${text} AS uuid)`,
  },
};

function sqlite(): Sql {
  return {
    series: (first, last) =>
      `(WITH RECURSIVE s(n) AS (SELECT ${first} UNION ALL SELECT n + 1 FROM s WHERE n < ${last}) SELECT n FROM s) AS s`,
    hex: `printf('%012x', ${TIME})`,
    uuid: (text) => text,
  };
}

/**
 * Fills the log with deliveries of the ages `first` to `last`, in minutes. One of a hundred has failed, one of a thousand
 * waits, one of ten has had three attempts; a third are those of the first subscriber.
 */
export async function seedLog(
  rig: OutboxApp,
  kind: DatabaseKind,
  last: number,
  first = 1,
): Promise<void> {
  const { series, hex, uuid } = SQL[kind];
  const counted = (number: string) => `substr(CAST(1000000000000 + ${number} AS CHAR(13)), 2)`;
  const key = uuid(
    `concat(substr(${hex}, 1, 8), '-', substr(${hex}, 9), '-7000-8000-', ${counted('s.n')})`,
  );
  const number = `(CASE WHEN s.n % 3 = 0 THEN 0 ELSE s.n % ${SUBSCRIBERS} END)`;
  const owner = uuid(`concat('01900000-0000-7000-8000-', ${counted(number)})`);
  const event =
    "CASE WHEN s.n % 10000 = 3 THEN 'stock.low' WHEN s.n % 2 = 0 THEN 'order.paid' ELSE 'article.created' END";
  const [isFailed, isPending] = ['s.n % 100 = 7', 's.n % 1000 = 8'];
  const state = `CASE WHEN ${isFailed} THEN 'failed' WHEN ${isPending} THEN 'pending' ELSE 'succeeded' END`;
  const ages = series(first, last);
  await rig.rows(
    `INSERT INTO thorn_messages (id, event, time, audience, headers, settings, recipients, body) SELECT ${key}, ${event}, ${TIME}, 'everyone', '{}', '{}', '[]', '{"data":{"total":5}}' FROM ${ages}`,
  );
  await rig.rows(
    `INSERT INTO thorn_deliveries (id, message_id, subscriber_id, event, status, reason, host, due_at, key_hash, queue_position, attempts, throttled, requests, started_at, attempted_at, finished_at, duration, response_status, response)
      SELECT ${key}, ${key}, ${owner}, ${event}, ${state}, CASE WHEN ${isFailed} THEN 'exhausted' END,
        CASE WHEN ${isPending} THEN 'x' END, CASE WHEN ${isPending} THEN ${LOG_END * 2} + s.n END, CASE WHEN ${isPending} THEN ${key} END, CASE WHEN ${isPending} THEN 0 END,
        1, 0, CASE WHEN s.n % 10 = 0 THEN 3 ELSE 1 END, ${TIME}, ${TIME}, CASE WHEN ${isPending} THEN NULL ELSE ${TIME} END, s.n % 40 + 3, CASE WHEN ${isFailed} OR ${isPending} THEN 503 ELSE 200 END, '${'x'.repeat(200)}' FROM ${ages}`,
  );
  for (const request of [2, 3]) {
    await rig.rows(
      `INSERT INTO thorn_attempts (delivery_id, number, started_at, duration, status) SELECT ${key}, ${request}, ${TIME}, 5, 500 FROM ${ages} WHERE s.n % 10 = 0`,
    );
  }
}
