import { type Columns, type Dialect, idRows, type Statement } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Row } from '../../database/sql-client.js';
import type { TableNames } from './table-names.js';
import { FIRST_KEY, idFrom, isOfMessages, keyOf, LAST_KEY } from './keys.js';
import { deliveryColumns, type DeliveryRecord, parseDeliveryRow } from './delivery-record.js';

/** A condition on deliveries `d`, and its parameters. */
export interface LogCondition {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** The column that is equal to the one parameter, if an index has it and then the id. */
  readonly column?: 'subscriber_id' | 'reason';
  /** Of rows whose index is not in the order of ids: at most so many, which are read whole and sorted. */
  readonly few?: number;
}

/** Ids between two others. */
export interface LogRange {
  /** The smallest id, inclusive; undefined for no end. */
  readonly from: string | undefined;
  /** The bound above, exclusive; undefined for no end. One alone: of two, SQLite goes through all rows between them. */
  readonly before: string | undefined;
}

/** Ids from `low` to below `high`, which are counted together. */
export interface IdBucket {
  readonly bucket: number;
  readonly low: string;
  readonly high: string;
}

const BUCKETS: Columns = { bucket: 'bigint', low: 'uuid', high: 'uuid' };
/** What filters look at. */
const FILTERED =
  'd.id, d.message_id, d.subscriber_id, d.event, d.status, d.requests, d.response_status, d.error_code';
/** Entries of an index that one count goes through, and rows: of more, counts say that there are at least so many. */
export const MOST_COUNTED = 100_000;
export const MOST_READ = 20_000;

/**
 * Reads the delivery log, newest first, along the branches of a union. A branch is a condition that an index has in the
 * order of ids, so that its newest rows are read without looking at the others.
 */
export class LogPageTable {
  readonly #columns: string;
  readonly #deliveries: string;

  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
  ) {
    this.#columns = deliveryColumns(tables);
    this.#deliveries = tables.deliveries;
  }

  get dialect(): Dialect {
    return this.database.dialect;
  }

  get names(): TableNames {
    return this.tables;
  }

  /**
   * Reads the newest deliveries of any branch for which all filters hold.
   *
   * @param each with filters, the number of rows that each branch has in the range at most, as {@link lowestIdOf} tells
   */
  async newest(
    branches: readonly LogCondition[],
    filters: readonly LogCondition[],
    range: LogRange,
    limit: number,
    each: number,
  ): Promise<readonly DeliveryRecord[]> {
    const isPlain = filters.length === 0 && branches.every(({ few }) => few === undefined);
    const { sql, parameters } = isPlain
      ? this.#union(branches, range, 'd.id', 'LIMIT ?', limit, limit)
      : this.#filtered(branches, filters, range, limit, each);
    // Every branch may have a page of ids: rows are read of those that are left.
    const { rows } = await this.database.run({
      sql: `SELECT ${this.#columns} FROM (${sql}) w ${this.dialect.joinEach(this.#deliveries, 'd', 'd.id = w.id')} ORDER BY w.id DESC`,
      parameters,
    });
    return rows.map(parseDeliveryRow);
  }

  /**
   * The ids of rows for which filters hold. A branch ends with its LIMIT before they are looked at, so that no planner
   * goes another way because of them.
   */
  #filtered(
    branches: readonly LogCondition[],
    filters: readonly LogCondition[],
    range: LogRange,
    limit: number,
    each: number,
  ): Statement {
    const few = branches[0]!.few;
    const conditions = few === undefined ? filters : [...conditionsOf(range), ...filters];
    const part = few === undefined ? range : { from: undefined, before: undefined };
    const columns = filters.length === 0 ? 'd.id' : FILTERED;
    const most = few ?? each;
    const inner = this.#union(branches, part, columns, 'LIMIT ?', most, most * branches.length);
    const where = conditions.map(({ sql }) => sql).join(' AND ');
    return {
      sql: `SELECT d.id FROM (${inner.sql}) d ${where === '' ? '' : `WHERE ${where}`} ORDER BY d.id DESC LIMIT ?`,
      parameters: [
        ...inner.parameters,
        ...conditions.flatMap(({ parameters }) => parameters),
        limit,
      ],
    };
  }

  /**
   * Finds the oldest id among the newest `rows` rows of each branch, by the columns of its index alone.
   *
   * @returns the id down to which no branch has more of them; null when none of the branches has more rows
   */
  async lowestIdOf(
    branches: readonly LogCondition[],
    range: LogRange,
    rows: number,
  ): Promise<string | null> {
    const { rows: found } = await this.database.run(
      this.#union(branches, range, 'd.id', 'LIMIT 1 OFFSET ?', rows - 1, 1),
    );
    return found.length === 0 ? null : idFrom('dlv_', found[0]!['id'], null);
  }

  /** Returns the condition for the deliveries of a message; null when there is no such message. */
  async isOfMessage(id: string): Promise<LogCondition | null> {
    const { rows } = await this.database.run({
      sql: `SELECT time FROM ${this.tables.messages} WHERE id = ?`,
      parameters: [keyOf('msg_', id)],
    });
    return rows.length === 0 ? null : isOfMessages([{ id, time: Number(rows[0]!['time']) }]);
  }

  /** The newest rows of every branch, and of those together the newest. */
  #union(
    branches: readonly LogCondition[],
    range: LogRange,
    columns: string,
    end: string,
    each: number,
    limit: number,
  ): Statement {
    const part = (branch: LogCondition) => this.#part(branch, range, columns, end, each);
    const [first] = branches;
    if (branches.length === 1) return part(first!);
    if (this.dialect.name !== 'postgres') return this.#merged(branches.map(part), limit);
    // PostgreSQL would plan each part of a union by itself, which takes longer than to run them.
    const { rows, parameter } = this.#valuesOf(branches);
    const { sql, parameters } = part(rowOf(first!));
    return {
      sql: `SELECT w.* FROM ${rows} CROSS JOIN LATERAL (${sql}) w ORDER BY w.id DESC LIMIT ?`,
      parameters: [parameter, ...parameters, limit],
    };
  }

  #part(
    branch: LogCondition,
    range: LogRange,
    columns: string,
    end: string,
    each: number,
  ): Statement {
    const { column, few } = branch;
    const isPair = this.dialect.name === 'postgres' && column !== undefined;
    const all = isPair ? [pairs(branch, column, range)] : [branch, ...conditionsOf(range)];
    const conditions = all.filter(({ sql }) => sql !== '');
    const where = conditions.map(({ sql }) => sql).join(' AND ');
    const order =
      few === undefined ? `ORDER BY ${isPair ? `d.${column} DESC, ` : ''}d.id DESC` : '';
    return {
      sql: `SELECT ${columns} FROM ${this.#deliveries} d ${where === '' ? '' : `WHERE ${where}`} ${order} ${end}`,
      parameters: [...conditions.flatMap(({ parameters }) => parameters), each],
    };
  }

  /** The values of branches of one column, as rows `r`. */
  #valuesOf(branches: readonly LogCondition[]) {
    return idRows(
      this.dialect,
      branches.map(({ parameters }) => parameters[0]),
      branches[0]!.column === 'reason' ? 'text' : 'uuid',
    );
  }

  /** The newest ids of several branches. Each comes from an index in order; one query over all branches would sort. */
  #merged(parts: readonly Statement[], limit: number): Statement {
    // SQLite has no LIMIT in a part, and MariaDB takes twice as long for a table of each.
    const isMysql = this.dialect.name === 'mysql';
    const texts = parts.map(({ sql }, at) =>
      isMysql ? `(${sql})` : `SELECT * FROM (${sql}) AS p${at}`,
    );
    return {
      sql: `${texts.join(' UNION ALL ')} ORDER BY id DESC LIMIT ?`,
      parameters: [...parts.flatMap(({ parameters }) => parameters), limit],
    };
  }

  /**
   * Counts the attempts of deliveries by time, answer and duration.
   *
   * @param step milliseconds
   * @param isBySubscriber true: by subscriber as well, with the start of the latest of each
   */
  async countAttempts(
    branches: readonly LogCondition[],
    filters: readonly LogCondition[],
    range: LogRange,
    step: number,
    isBySubscriber = false,
  ): Promise<readonly Row[]> {
    const { attempts } = this.tables;
    const own = (table: string) =>
      isBySubscriber ? `, ${table}.subscriber_id, ${table}.given_subscriber_id` : '';
    const groups = `w.began - (w.began % ${step}), w.status, w.error_code, w.duration${own('w')}`;
    const parts = branches.flatMap((branch): Statement[] => {
      const all = [branch, ...filters, ...conditionsOf(range)].filter(({ sql }) => sql !== '');
      const where = all.map(({ sql }) => sql).join(' AND ');
      const parameters = all.flatMap((one) => one.parameters);
      const from =
        branch.sql === '' ? this.dialect.byKey(this.#deliveries, 'd') : `${this.#deliveries} d`;
      return [
        {
          sql: `SELECT COALESCE(d.started_at, d.attempted_at) AS began, d.response_status AS status, d.error_code, d.duration${own('d')} FROM ${from} WHERE ${where} AND (d.duration IS NOT NULL OR (d.requests = 1 AND d.status = 'succeeded'))`,
          parameters,
        },
        {
          sql: `SELECT o.started_at AS began, o.status, o.error_code, o.duration${own('d')} FROM ${from} ${this.dialect.joinEach(attempts, 'o', 'o.delivery_id = d.id')} WHERE ${where} AND d.requests > 1`,
          parameters,
        },
      ];
    });
    const { rows } = await this.database.run({
      sql: `SELECT ${groups.replace(',', ' AS bucket,')}, COUNT(*) AS amount${isBySubscriber ? ', MAX(w.began) AS latest' : ''} FROM (${parts.map(({ sql }) => sql).join(' UNION ALL ')}) w GROUP BY ${groups}`,
      parameters: parts.flatMap(({ parameters }) => parameters),
    });
    return rows;
  }

  /** Counts the deliveries of a branch by bucket and state. @param buckets in the order of their ids */
  async countDeliveries(
    branch: LogCondition,
    range: LogRange,
    buckets: readonly IdBucket[],
  ): Promise<readonly Row[]> {
    const columns = 'r.bucket, d.status';
    const among = buckets
      .filter(({ low, high }) => overlaps(range, low, high))
      .map(({ bucket, low, high }) => ({
        bucket,
        low: keyOf('dlv_', low),
        high: keyOf('dlv_', high),
      }));
    const conditions = [branch, ...conditionsOf(range)];
    const { rows } = await this.database.run({
      sql: `SELECT ${columns}, COUNT(*) AS amount FROM ${this.dialect.rows('r', BUCKETS)} ${this.dialect.join} ${this.#deliveries} d
        ON d.id >= r.low AND d.id < r.high AND ${conditions.map(({ sql }) => sql).join(' AND ')} GROUP BY ${columns}`,
      parameters: [
        this.dialect.rowsParameter(BUCKETS, among),
        ...conditions.flatMap(({ parameters }) => parameters),
      ],
    });
    return rows;
  }

  /** Counts the deliveries of a branch that wait for a rate limit, among the first that wait. */
  async countRateLimited(branch: LogCondition): Promise<number> {
    const { rows } = await this.database.run({
      sql: `SELECT COUNT(w.permit_at) AS amount FROM (SELECT d.permit_at FROM ${this.#deliveries} d WHERE ${branch.sql} AND d.due_at IS NOT NULL LIMIT ?) w`,
      parameters: [...branch.parameters, MOST_COUNTED],
    });
    return Number(rows[0]!['amount']);
  }

  /** True when the branch has fewer than `most` rows, whatever is not in its index. */
  async isFewWaiting({ sql, parameters }: LogCondition, most: number): Promise<boolean> {
    const { rows } = await this.database.run({
      sql: `SELECT COUNT(*) AS amount FROM (SELECT 1 AS one FROM ${this.#deliveries} d WHERE ${sql} LIMIT ?) w`,
      parameters: [...parameters, most],
    });
    return Number(rows[0]!['amount']) < most;
  }
}

function overlaps({ from, before }: LogRange, low: string, high: string): boolean {
  return (from === undefined || high > from) && (before === undefined || low < before);
}

function conditionsOf({ from, before }: LogRange): readonly LogCondition[] {
  return [
    ...(from === undefined ? [] : [{ sql: 'd.id >= ?', parameters: [keyOf('dlv_', from)] }]),
    ...(before === undefined ? [] : [{ sql: 'd.id < ?', parameters: [keyOf('dlv_', before)] }]),
  ];
}

/**
 * A branch and a range as pairs, on PostgreSQL. Of a plain comparison its planner may go through all deliveries in the order
 * of ids, where it expects to find some of the branch soon; the order of pairs is that of the index alone.
 */
function pairs(
  { parameters: [value] }: LogCondition,
  column: string,
  range: LogRange,
): LogCondition {
  const given = value === undefined ? [] : [value];
  const placeholder = value === undefined ? 'r.id' : '?';
  const pair = `(d.${column}, d.id)`;
  const { from, before } = range;
  const low = from === undefined ? FIRST_KEY : keyOf('dlv_', from);
  const high = before === undefined ? LAST_KEY : keyOf('dlv_', before);
  return {
    // The index on reasons has those that are not null, which the planner does not conclude from a pair.
    sql: `${pair} >= (${placeholder}, ?) AND ${pair} < (${placeholder}, ?) AND d.${column} IS NOT NULL`,
    parameters: [...given, low, ...given, high],
  };
}

/** A branch whose value is that of a row `r`. */
function rowOf(branch: LogCondition): LogCondition {
  return { ...branch, sql: branch.sql.replace('?', 'r.id'), parameters: [] };
}
