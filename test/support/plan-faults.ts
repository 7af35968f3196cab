import type { DatabaseKind } from './databases.js';
import type { OutboxApp } from './apps/outbox-app.js';

/** Rows that a report may sort: what it shows of a page, of several branches, or of few that wait. */
const MOST_SORTED = 20_000;
/** Waiting rows that a page may read one by one where it filters by {@link OF_CLASS a class of answers}, which is in no index. */
const FEW_WAITING = 2000;
const OF_CLASS = / d\.(?:error_code|response_status) END (?!AS )/;
/** Characters of a statement, which databases parse and plan each time: a hundred branches that name ids alone. */
const MOST_TEXT = 60_000;
const LARGE = /thorn_(?:deliveries|messages|attempts)$/;

type Explain = (
  rig: OutboxApp,
  sql: string,
  parameters: readonly unknown[],
) => Promise<readonly string[]>;

/**
 * Asks the database how it would run a statement, and returns what must not be: going through a whole table of the log,
 * sorting any number of its rows, or a text that takes longer to parse than to run.
 */
export async function planFaults(
  rig: OutboxApp,
  kind: DatabaseKind,
  sql: string,
  parameters: readonly unknown[],
): Promise<readonly string[]> {
  const faults = await EXPLAIN[kind](rig, sql, parameters);
  return sql.length > MOST_TEXT ? [...faults, `${sql.length} characters`] : faults;
}

const EXPLAIN: Readonly<Record<DatabaseKind, Explain>> = {
  memory: ofSqlite,
  file: ofSqlite,
  postgres: ofPostgres,
  mariadb: ofMariadb,
};

/** SQLite names tables by their aliases, which the statements of the log keep to. */
async function ofSqlite(rig: OutboxApp, sql: string, parameters: readonly unknown[]) {
  const rows = await rig.rows(`EXPLAIN QUERY PLAN ${sql}`, [...parameters]);
  const steps = rows.map(({ parent, detail }) => ({ parent, detail: String(detail) }));
  const isOrdered = (detail: string) => / USING (?:COVERING )?INDEX /.test(detail);
  const isLog = (detail: string, verb: string) =>
    new RegExp(`^(?:${verb}) (?:d|m|o|a|thorn_(?:deliveries|messages|attempts))\\b`).test(detail);
  const faults = steps.filter(
    ({ detail, parent }, at) =>
      // In the order of an index, a scan ends with the LIMIT.
      (isLog(detail, 'SCAN') &&
        !(isOrdered(detail) && /\bLIMIT\b/.test(sql) && !/\bWHERE d\.(?!id)/.test(sql))) ||
      // The rows of a statement, gone through for each row of the log.
      (/^SCAN (?:json_each|r)\b/.test(detail) &&
        steps
          .slice(0, at)
          .some((one) => one.parent === parent && isLog(one.detail, 'SCAN|SEARCH'))),
  );
  return faults.map(({ detail }) => detail);
}

interface PostgresNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Plan Rows': number;
  readonly Plans?: readonly PostgresNode[];
}

async function ofPostgres(rig: OutboxApp, sql: string, parameters: readonly unknown[]) {
  const [row] = await rig.rows(`EXPLAIN (FORMAT JSON) ${sql}`, [...parameters]);
  const plans = row!['QUERY PLAN'] as readonly { readonly Plan: PostgresNode }[];
  const faults: string[] = [];
  const look = (node: PostgresNode): void => {
    const { 'Node Type': type, 'Relation Name': table = '', Plans = [] } = node;
    if (type === 'Seq Scan' && LARGE.test(table)) faults.push(`${type} on ${table}`);
    const input = Plans[0]?.['Plan Rows'] ?? 0;
    if (type.endsWith('Sort') && input > MOST_SORTED) faults.push(`${type} of ${input} rows`);
    for (const one of Plans) look(one);
  };
  look(plans[0]!.Plan);
  return faults;
}

async function ofMariadb(rig: OutboxApp, sql: string, parameters: readonly unknown[]) {
  const rows = await rig.rows(`EXPLAIN ${sql}`, [...parameters]);
  return rows.flatMap(({ table, type, rows: read, Extra }) => {
    const isLog = /^(?:d|m|o|a|thorn_\w+)$/.test(String(table));
    const isSorted = isLog && String(Extra).includes('filesort');
    // Of what waits, a page is sorted by the index alone: rows that are sorted are read one by one.
    const isCovered =
      !/ WHERE d\.due_at > 0 /.test(sql) ||
      /Using index(?! condition)/.test(String(Extra)) ||
      /d\.id >= \?/.test(sql);
    const most = OF_CLASS.test(sql) ? FEW_WAITING : Number(parameters.at(-1));
    const isFault =
      (isLog && type === 'ALL') ||
      (isSorted && Number(read) > MOST_SORTED) ||
      (isSorted && !isCovered && Number(read) > most);
    return isFault ? [[table, type, read, Extra].join(' ')] : [];
  });
}
