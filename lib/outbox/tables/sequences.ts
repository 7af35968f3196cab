import {
  type Columns,
  type Dialect,
  idRows,
  type Select,
  select,
  type Statement,
  type Write,
  write,
} from '../../database/dialect.js';
import type { RowOf } from '../../database/schema/table-definition.js';
import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import { type Gate, rowsOf, type TransactionProof } from '../../database/transaction-proof.js';
import type { Target } from './table-names.js';

// The statements on `thorn_sequences`: the latest number of each key's messages. Index of each: the primary key.

const SEQUENCES = [OUTBOX_TABLES.sequences.name];
const COUNTED: Columns = { id: 'uuid', count: 'bigint' };

/** So many keys go as plain values, which is faster for a few. */
const MOST_VALUES = 16;

// MariaDB refuses to change what another transaction has changed since this one began to read. The number is no matter of
// a row that it read before. Its default since 11.6.2; MySQL takes this for a comment.
const AS_IT_IS = '/*M!110602 SET STATEMENT innodb_snapshot_isolation=OFF FOR */ ';

/** A number of messages of one key. */
export interface KeyCount {
  /** The key's hash. */
  readonly id: string;
  readonly count: number;
}

/** The latest number of a key's messages. */
export interface AllocatedNumber {
  readonly key_id: string;
  readonly sequence: RowOf<typeof OUTBOX_TABLES.sequences>['sequence'];
}

/**
 * Allocates the next numbers of keys, and returns the last number of each where the database can.
 *
 * @param gate default: whatever transaction it is
 */
export function allocateNumbers(
  { dialect, tables: { sequences: table } }: Target,
  counts: readonly KeyCount[],
  gate?: Gate,
): Statement {
  const { source, parameters } = sourceOf(dialect, counts, gate);
  const insert = `INSERT INTO ${table} (id, sequence) ${source}`;
  const sum = `sequence = ${table}.sequence +`;
  const sql =
    dialect.name === 'mysql'
      ? `${AS_IT_IS}${insert} ON DUPLICATE KEY UPDATE ${sum} VALUES(sequence)`
      : `${insert} ON CONFLICT (id) DO UPDATE SET ${sum} excluded.sequence RETURNING id AS key_id, sequence`;
  return { sql, parameters, answersRows: dialect.returns, tables: SEQUENCES };
}

function sourceOf(dialect: Dialect, counts: readonly KeyCount[], gate: Gate | undefined) {
  if (counts.length > MOST_VALUES) {
    return {
      source: `SELECT r.id, r.count FROM ${dialect.rows('r', COUNTED)} WHERE ${gate?.condition ?? 'true'}`,
      parameters: [dialect.rowsParameter(COUNTED, counts)],
    };
  }
  const pair = `${dialect.parameter('uuid')}, ${dialect.parameter('bigint')}`;
  return {
    source: rowsOf(
      counts.map(() => pair),
      gate,
    ),
    parameters: counts.flatMap(({ id, count }) => [id, count]),
  };
}

/** The numbers that {@link allocateNumbers} has allocated, on MySQL, which does not return them. @param ids hashes of keys */
export function selectNumbers(
  { dialect, tables }: Target,
  ids: readonly string[],
  proof?: TransactionProof,
): Select<AllocatedNumber> {
  const { rows, parameter } = idRows(dialect, ids);
  const condition = proof === undefined ? '' : `WHERE ${proof.gate.condition}`;
  const sql = `SELECT r.id AS key_id, s.sequence FROM ${rows} ${dialect.join} ${tables.sequences} s ON s.id = r.id ${condition}`;
  return { ...select(sql, [parameter]), tables: SEQUENCES, proof };
}

/** Takes numbers back that no message has got. @param proof default: it runs where it is meant to */
export function takeNumbersBack(
  { dialect, tables }: Target,
  counts: readonly KeyCount[],
  proof?: TransactionProof,
): Write {
  return write(
    dialect.updateFrom(
      tables.sequences,
      ['sequence = t.sequence - r.count'],
      dialect.rows('r', COUNTED),
      `t.id = r.id AND ${proof?.later ?? 'TRUE'}`,
    ),
    [dialect.rowsParameter(COUNTED, counts)],
  );
}

/**
 * The number of a message as an expression, with its parameter: a part of an INSERT.
 *
 * @param allocated a table expression with the rows that {@link allocateNumbers} returns
 * @param id the key's hash
 * @param after the messages of the key that come after this one
 */
export function numberIn(
  { dialect }: Target,
  allocated: string,
  id: string,
  after: number,
): Statement {
  return {
    sql: `(SELECT n.sequence - ${after} FROM ${allocated} n WHERE n.key_id = ${dialect.parameter('uuid')})`,
    parameters: [id],
  };
}
