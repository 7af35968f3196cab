import { type Columns, type Dialect, idRows, type Statement } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Row } from '../../database/sql-client.js';
import type { TableNames } from '../entities/table-names.js';
import { idFrom, isOfMessages, keyOf } from './keys.js';
import { deliveryColumns, type DeliveryRecord, parseDeliveryRow } from './delivery-record.js';

/** A condition on deliveries `d`, and its parameters. */
export interface LogCondition {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** True of few rows, whose index is not in the order of ids. */
  readonly isSorted?: true;
  /** What must hold as well, and is not in the index. */
  readonly unindexed?: string;
}

/** Ids between two others. */
export interface LogRange {
  /** The smallest id, inclusive; undefined for no end. */
  readonly from: string | undefined;
  /** Upper bounds, exclusive. */
  readonly before: readonly string[];
}

/** Ids from `low` to below `high`, which are counted together. */
export interface IdBucket {
  readonly bucket: number;
  readonly low: string;
  readonly high: string;
}

const BUCKETS: Columns = { bucket: 'bigint', low: 'uuid', high: 'uuid' };
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

  /** Reads the newest deliveries of any branch for which all conditions hold. */
  async newest(
    branches: readonly LogCondition[],
    filters: readonly LogCondition[],
    range: LogRange,
    limit: number,
  ): Promise<readonly DeliveryRecord[]> {
    const conditions = [...filters, ...conditionsOf(range)];
    const { sql, parameters } = this.#union(branches, conditions, true, 'LIMIT ?', limit, limit);
    // Every branch may have a page of ids: rows are read of those that are left.
    const { rows } = await this.database.run({
      sql: `SELECT ${this.#columns} FROM (${sql}) w ${this.dialect.joinEach(this.#deliveries, 'd', 'd.id = w.id')} ORDER BY w.id DESC`,
      parameters,
    });
    return rows.map(parseDeliveryRow);
  }

  /**
   * Finds how far `rows` rows of each branch go back, whatever is not in its index.
   *
   * @returns the id down to which no branch has more of them; null when none of the branches has more rows
   */
  async lowestIdOf(
    branches: readonly LogCondition[],
    range: LogRange,
    rows: number,
  ): Promise<string | null> {
    const { rows: found } = await this.database.run(
      this.#union(branches, conditionsOf(range), false, 'LIMIT 1 OFFSET ?', rows - 1, 1),
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

  /** The ids of the newest rows of every branch, and of those together the newest. */
  #union(
    branches: readonly LogCondition[],
    conditions: readonly LogCondition[],
    isWhole: boolean,
    end: string,
    each: number,
    limit: number,
  ): Statement {
    const part = (branch: LogCondition): Statement => {
      const all = [branch, ...conditions].filter(({ sql }) => sql !== '');
      const texts = [
        ...all.map(({ sql }) => sql),
        ...(isWhole && branch.unindexed !== undefined ? [branch.unindexed] : []),
      ];
      const where = texts.length === 0 ? '' : `WHERE ${texts.join(' AND ')}`;
      return {
        sql: `SELECT d.id FROM ${this.#deliveries} d ${where} ORDER BY ${branch.isSorted ? this.dialect.unindexed('d.id') : 'd.id'} DESC ${end}`,
        parameters: [...all.flatMap(({ parameters }) => parameters), each],
      };
    };
    const [first] = branches;
    if (branches.length === 1) return part(first!);
    const isAlike = branches.every(
      ({ sql, parameters }) => sql === first!.sql && parameters.length === 1,
    );
    if (this.dialect.name !== 'postgres' || !isAlike) return merged(branches.map(part), limit);
    // PostgreSQL would plan each part of a union by itself, which takes longer than to run them.
    const { rows, parameter } = idRows(
      this.dialect,
      branches.map(({ parameters }) => parameters[0]),
    );
    const { sql, parameters } = part({
      ...first!,
      sql: first!.sql.replace('?', 'r.id'),
      parameters: [],
    });
    return {
      sql: `SELECT w.* FROM ${rows} CROSS JOIN LATERAL (${sql}) w ORDER BY w.id DESC LIMIT ?`,
      parameters: [parameter, ...parameters, limit],
    };
  }

  /** Counts the attempts of deliveries by time, answer and duration. @param step milliseconds */
  async countAttempts(
    branches: readonly LogCondition[],
    filters: readonly LogCondition[],
    range: LogRange,
    step: number,
  ): Promise<readonly Row[]> {
    const { attempts } = this.tables;
    const groups = `w.began - (w.began % ${step}), w.status, w.error_code, w.duration`;
    const parts = branches.flatMap((branch): Statement[] => {
      const all = [branch, ...filters, ...conditionsOf(range)].filter(({ sql }) => sql !== '');
      const where = all.map(({ sql }) => sql).join(' AND ');
      const parameters = all.flatMap((one) => one.parameters);
      const from =
        branch.sql === '' ? this.dialect.byKey(this.#deliveries, 'd') : `${this.#deliveries} d`;
      return [
        {
          sql: `SELECT COALESCE(d.started_at, d.attempted_at) AS began, d.response_status AS status, d.error_code, d.duration FROM ${from} WHERE ${where} AND (d.duration IS NOT NULL OR (d.requests = 1 AND d.status = 'succeeded'))`,
          parameters,
        },
        {
          sql: `SELECT o.started_at AS began, o.status, o.error_code, o.duration FROM ${from} ${this.dialect.joinEach(attempts, 'o', 'o.delivery_id = d.id')} WHERE ${where} AND d.requests > 1`,
          parameters,
        },
      ];
    });
    const { rows } = await this.database.run({
      sql: `SELECT ${groups.replace(',', ' AS bucket,')}, COUNT(*) AS amount FROM (${parts.map(({ sql }) => sql).join(' UNION ALL ')}) w GROUP BY ${groups}`,
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
  return (from === undefined || high > from) && before.every((id) => low < id);
}

function conditionsOf({ from, before }: LogRange): readonly LogCondition[] {
  return [
    ...(from === undefined ? [] : [{ sql: 'd.id >= ?', parameters: [keyOf('dlv_', from)] }]),
    ...before.map((id) => ({ sql: 'd.id < ?', parameters: [keyOf('dlv_', id)] })),
  ];
}

/** The newest ids of several branches. Each comes from an index in order; one query over all branches would sort. */
function merged(parts: readonly Statement[], limit: number): Statement {
  return {
    sql: `${parts.map(({ sql }, at) => `SELECT * FROM (${sql}) AS p${at}`).join(' UNION ALL ')} ORDER BY id DESC LIMIT ?`,
    parameters: [...parts.flatMap(({ parameters }) => parameters), limit],
  };
}
