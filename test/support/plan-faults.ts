import type { DatabaseKind } from './databases.js';
import type { OutboxApp } from './apps/outbox-app.js';

/** Rows that a report may sort: what it shows of a page, of several branches, or of few that wait. */
const MOST_SORTED = 20_000;
/** Deliveries that a report may read at once: those of a step, by each of two ways. */
const MOST_READ = 21_000;
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
  // SQLite goes through the rows between two bounds of one side.
  if (/d\.id (<|>)=? \?[^()]* d\.id \1=? \?/.test(sql)) return ['two bounds of one side'];
  const faults = await EXPLAIN[kind](rig, sql, parameters);
  return sql.length > MOST_TEXT ? [...faults, `${sql.length} characters`] : faults;
}

/** Deliveries of the seeded log that wait, at most. */
const MOST_WAITING = 5000;

/**
 * Returns what is linear in a statement of a list: rows that are read besides those of its own limits, and on SQLite, which
 * does not count them, an index that does not begin where the statement does.
 */
export async function listFaults(
  rig: OutboxApp,
  kind: DatabaseKind,
  sql: string,
  parameters: readonly unknown[],
): Promise<readonly string[]> {
  if (kind === 'file' || kind === 'memory') return searchesAside(rig, sql, parameters);
  const limits = parameters.filter((one) => typeof one === 'number');
  const values = parameters.find((one) => typeof one === 'string' && one.startsWith('[')) ?? '[]';
  const parts = sql.split('UNION ALL').length + (JSON.parse(String(values)) as unknown[]).length;
  // Each part has an end of its own; of a page, every row is read once more.
  // Where few deliveries wait, PostgreSQL may look through all of them by their time instead of those of one subscriber.
  const waiting = kind === 'postgres' && sql.includes('due_at > 0') ? MOST_WAITING : 0;
  const most = Math.max(...limits.filter((one) => one <= 20_000), 0) * parts + 200 + waiting;
  return readFaults(rig, kind, sql, parameters, most);
}

/** Returns how many deliveries a statement of a report reads besides those of one step. SQLite does not count them. */
export async function stepFaults(
  rig: OutboxApp,
  kind: DatabaseKind,
  sql: string,
  parameters: readonly unknown[],
): Promise<readonly string[]> {
  if (kind === 'file' || kind === 'memory') return [];
  return readFaults(rig, kind, sql, parameters, MOST_READ);
}

async function readFaults(
  rig: OutboxApp,
  kind: 'postgres' | 'mariadb',
  sql: string,
  parameters: readonly unknown[],
  most: number,
) {
  const read = await (kind === 'postgres' ? readByPostgres : readByMariadb)(rig, sql, parameters);
  return read > most ? [`reads ${read} rows, not ${most}`] : [];
}

async function searchesAside(rig: OutboxApp, sql: string, parameters: readonly unknown[]) {
  const rows = await rig.rows(`EXPLAIN QUERY PLAN ${sql}`, [...parameters]);
  const used = rows.flatMap(
    ({ detail }) => /^SEARCH d .*\((.*)\)$/.exec(String(detail))?.[1] ?? [],
  );
  const count = (text: string, all: readonly string[]) => all.filter((one) => one.includes(text));
  const parts = sql.split(/SELECT (?=d\.id)/).filter((part) => part.includes(' WHERE '));
  return ['reason', 'subscriber_id', 'due_at'].flatMap((column) => {
    const branch = new RegExp(`thorn_deliveries" d WHERE (?:[^()]* )?d\\.${column} (?:=|>|IN)`);
    const wanted = parts.filter((part) => branch.test(part)).length;
    const found = count(column, used).length;
    return found < wanted
      ? [`${column} in ${found} of ${wanted} searches: ${used.join('; ')}`]
      : [];
  });
}

interface AnalyzedNode extends PostgresNode {
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
}

async function readByPostgres(rig: OutboxApp, sql: string, parameters: readonly unknown[]) {
  const [row] = await rig.rows(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, [...parameters]);
  const plans = row!['QUERY PLAN'] as readonly { readonly Plan: AnalyzedNode }[];
  const readBy = (node: AnalyzedNode): number => {
    const { 'Relation Name': table = '', 'Actual Rows': found, 'Actual Loops': loops } = node;
    const { 'Rows Removed by Filter': left = 0, 'Rows Removed by Index Recheck': more = 0 } = node;
    const own = table.endsWith('thorn_deliveries') ? (found + left + more) * loops : 0;
    return ((node.Plans ?? []) as readonly AnalyzedNode[]).reduce(
      (sum, one) => sum + readBy(one),
      own,
    );
  };
  return Math.round(readBy(plans[0]!.Plan));
}

async function readByMariadb(rig: OutboxApp, sql: string, parameters: readonly unknown[]) {
  const rows = await rig.rows(`ANALYZE ${sql}`, [...parameters]);
  return rows
    .filter(({ table, type }) => table === 'd' && type !== 'eq_ref')
    .reduce((sum, { r_rows: read }) => sum + Number(read ?? 0), 0);
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
  // The rows of a subquery have its alias.
  const isDerived = (detail: string, parent: unknown) =>
    steps.some(
      (one) =>
        one.parent === parent &&
        /^(?:CO-ROUTINE|MATERIALIZE) d$/.test(one.detail) &&
        detail === 'SCAN d',
    );
  const faults = steps.filter(
    ({ detail, parent }, at) =>
      // In the order of an index, a scan ends with the LIMIT.
      (isLog(detail, 'SCAN') &&
        !isDerived(detail, parent) &&
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
