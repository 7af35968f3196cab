import type { DatabaseKind } from './databases.js';
import { type OutboxApp, subscriber } from './apps/outbox-app.js';

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

/** Creates the subscribers of {@link OWNER_SIZES}. @param hosts the number of their hosts; default one each */
export async function seedOwners(
  { subscribers }: Pick<OutboxApp, 'subscribers'>,
  hosts = SUBSCRIBERS,
): Promise<void> {
  for (const [owner, [first, count]] of Object.entries(OWNER_SIZES)) {
    for (let n = first; n < first + count; n++) {
      const url = `https://host-${n % hosts}.example/`;
      await subscribers.create(subscriber(url, { id: seededSubscriber(n), owner }));
    }
  }
}

/** What messages of the log are about: a third of them `often`, one of 100,000 `rare`, and the others something of few. */
export const SEEDED_SUBJECTS = { often: 'often', rare: 'rare' } as const;

/** The key of a delivery, and of its message. */
export function seededKey(age: number): string {
  const stamp = (LOG_END - age * STEP).toString(16).padStart(12, '0');
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7000-8000-${String(age).padStart(12, '0')}`;
}

/** The time of the newest delivery, and the milliseconds between two of them. */
export interface LogTimes {
  readonly end: number;
  readonly step: number;
}

interface Sql {
  readonly series: (first: number, last: number) => string;
  hex(time: string): string;
  uuid(text: string): string;
}

const SQL: Readonly<Record<DatabaseKind, Sql>> = {
  memory: sqlite(),
  file: sqlite(),
  postgres: {
    series: (first, last) => `generate_series(${first}::bigint, ${last}::bigint) AS s(n)`,
    hex: (time) => `lpad(to_hex(${time}), 12, '0')`,
    uuid: (text) => `CAST(${text} AS uuid)`,
  },
  mariadb: {
    series: (first, last) => `(SELECT seq AS n FROM seq_${first}_to_${last}) AS s`,
    hex: (time) => `LOWER(LPAD(HEX(${time}), 12, '0'))`,
    uuid: (text) => `CAST(${text} AS uuid)`,
  },
};

function sqlite(): Sql {
  return {
    series: (first, last) =>
      `(WITH RECURSIVE s(n) AS (SELECT ${first} UNION ALL SELECT n + 1 FROM s WHERE n < ${last}) SELECT n FROM s) AS s`,
    hex: (time) => `printf('%012x', ${time})`,
    uuid: (text) => text,
  };
}

/** What the deliveries of a log are, as SQL of their age `s.n`. */
export interface LogMix {
  /** The number of the subscriber. */
  readonly subscriber: string;
  /** The reason of a failed delivery, else null. */
  readonly reason: string;
  /** A condition. */
  readonly isPending: string;
  readonly event: string;
  /** Requests made: 1 or 3. */
  readonly requests: string;
  /** Of the first request that has failed, and of the third one. */
  readonly errorCode: string;
  /** The same; null where there is an error. */
  readonly failedStatus: string;
}

/**
 * One of a hundred has failed, one of a thousand waits, one of ten has had three attempts; a third are those of the first
 * subscriber.
 */
const EVEN: LogMix = {
  subscriber: `(CASE WHEN s.n % 3 = 0 THEN 0 ELSE s.n % ${SUBSCRIBERS} END)`,
  reason: "CASE WHEN s.n % 100 = 7 THEN 'exhausted' END",
  isPending: 's.n % 1000 = 8',
  event:
    "CASE WHEN s.n % 10000 = 3 THEN 'stock.low' WHEN s.n % 2 = 0 THEN 'order.paid' ELSE 'article.created' END",
  requests: 'CASE WHEN s.n % 10 = 0 THEN 3 ELSE 1 END',
  errorCode: 'NULL',
  failedStatus: '503',
};

/** Fills the log with deliveries of the ages `first` to `last`, in steps: by default, of a minute. */
export async function seedLog(
  rig: Pick<OutboxApp, 'rows'>,
  kind: DatabaseKind,
  last: number,
  first = 1,
  mix = EVEN,
  { end, step }: LogTimes = { end: LOG_END, step: STEP },
): Promise<void> {
  const time = `(${end} - s.n * ${step})`;
  const { series, hex, uuid } = SQL[kind];
  const counted = (number: string) => `substr(CAST(1000000000000 + ${number} AS CHAR(13)), 2)`;
  const key = uuid(
    `concat(substr(${hex(time)}, 1, 8), '-', substr(${hex(time)}, 9), '-7000-8000-', ${counted('s.n')})`,
  );
  const owner = uuid(`concat('01900000-0000-7000-8000-', ${counted(mix.subscriber)})`);
  const { event, reason, isPending, requests, errorCode, failedStatus } = mix;
  const isFailed = `(${reason}) IS NOT NULL`;
  const state = `CASE WHEN ${isFailed} THEN 'failed' WHEN ${isPending} THEN 'pending' ELSE 'succeeded' END`;
  const isBad = `(${isFailed} OR ${isPending})`;
  const ages = series(first, last);
  const { often, rare } = SEEDED_SUBJECTS;
  const subject = `CASE WHEN s.n % 100000 = 471 THEN '${rare}' WHEN s.n % 3 = 1 THEN '${often}' ELSE ${counted('s.n % 100000')} END`;
  await rig.rows(
    `INSERT INTO thorn_messages (id, event, subject, time, audience, headers, settings, recipients, body) SELECT ${key}, ${event}, ${subject}, ${time}, 'everyone', '{}', '{}', '[]', '{"data":{"total":5}}' FROM ${ages}`,
  );
  await rig.rows(
    `INSERT INTO thorn_deliveries (id, message_id, subscriber_id, event, status, reason, host, due_at, key_hash, queue_position, attempts, throttled, requests, started_at, attempted_at, finished_at, duration, response_status, error_code, response)
      SELECT ${key}, ${key}, ${owner}, ${event}, ${state}, ${reason},
        CASE WHEN ${isPending} THEN 'x' END, CASE WHEN ${isPending} THEN ${end * 2} + s.n END, CASE WHEN ${isPending} THEN ${key} END, CASE WHEN ${isPending} THEN 0 END,
        1, 0, ${requests}, ${time}, ${time}, CASE WHEN ${isPending} THEN NULL ELSE ${time} END, s.n % 40 + 3, CASE WHEN ${isBad} THEN ${failedStatus} ELSE 200 END, CASE WHEN ${isBad} THEN ${errorCode} END, '${'x'.repeat(200)}' FROM ${ages}`,
  );
  for (const request of [2, 3]) {
    await rig.rows(
      `INSERT INTO thorn_attempts (delivery_id, number, started_at, duration, status, error_code) SELECT ${key}, ${request}, ${time}, 5, CASE WHEN ${isBad} THEN ${failedStatus} ELSE 500 END, CASE WHEN ${isBad} THEN ${errorCode} END FROM ${ages} WHERE ${requests} = 3`,
    );
  }
}

/** The kinds of subscribers in a log of {@link SKEWED}, by their numbers. */
export const SKEWED_SUBSCRIBERS = {
  healthy: 0,
  failing: 1,
  mixed: 2,
  waiting: 3,
  'healthy of many': 120,
  rare: 105,
  silent: 118,
} as const;

const PART = 's.n % 30';

/**
 * What makes an index the wrong one: a third of the deliveries are those of a subscriber without a failure, most failures
 * those of one that always fails, some have each reason, and most of what waits is for one subscriber. The rest is spread.
 * In the older three quarters few have failed.
 */
export function skewedMix(rows: number): LogMix {
  const isRecent = `s.n < ${rows / 4}`;
  const isRest = `${PART} > 18`;
  const isMixed = `${PART} BETWEEN 14 AND 16`;
  return {
    subscriber: `(CASE WHEN ${PART} < 10 THEN 0 WHEN ${PART} < 14 THEN 1 WHEN ${PART} < 17 THEN 2 WHEN ${PART} = 17 THEN 3 WHEN ${PART} = 18 THEN 120 WHEN s.n % 269 < 4 OR s.n % 269 IN (118, 120) THEN 200 ELSE s.n % 269 END)`,
    reason: `CASE WHEN ${isRecent} AND ${PART} BETWEEN 10 AND 13 THEN 'exhausted' WHEN ${isRecent} AND ${isMixed} THEN CASE s.n % 7 WHEN 0 THEN 'exhausted' WHEN 1 THEN 'gone' WHEN 2 THEN 'refused' WHEN 3 THEN 'disabled' WHEN 4 THEN 'expired' WHEN 5 THEN 'cancelled' END WHEN ${isRest} AND s.n % 1009 = 7 THEN 'exhausted' END`,
    isPending: `(${PART} = 17 OR (${isRest} AND s.n % 1009 = 8))`,
    event:
      "CASE WHEN s.n % 10007 = 3 THEN 'stock.low' WHEN s.n % 7 < 3 THEN 'order.paid' ELSE 'article.created' END",
    requests: 'CASE WHEN s.n % 11 = 0 THEN 3 ELSE 1 END',
    errorCode: `CASE WHEN ${isMixed} AND s.n % 13 < 4 THEN 'timeout' WHEN ${isMixed} AND s.n % 13 < 8 THEN 'tls' END`,
    failedStatus: `CASE WHEN ${isMixed} AND s.n % 13 < 8 THEN NULL WHEN ${isMixed} AND s.n % 13 < 10 THEN 404 ELSE 503 END`,
  };
}
