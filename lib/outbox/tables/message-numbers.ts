import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import type { Message } from '../../message/index.js';
import { type Columns, type Dialect, idRows, type Statement } from '../../database/dialect.js';
import type { Result, Step } from '../../database/sql-client.js';
import {
  type Gate,
  proven,
  rowsOf,
  type TransactionProof,
} from '../../database/transaction-proof.js';
import type { TableNames } from './table-names.js';
import { hashOf, keyOf } from './keys.js';

const COUNTED: Columns = { id: 'uuid', count: 'bigint' };
const NUMBERED: Columns = { id: 'uuid', sequence: 'bigint' };
const SEQUENCES = [OUTBOX_TABLES.sequences.name];

/** Messages that PostgreSQL numbers in the statement that writes them. More are faster with numbers that are known. */
const MOST_AT_ONCE = 16;

// MariaDB refuses to change what another transaction has changed since this one began to read. The number is no matter of
// what was read before. Its default since 11.6.2; MySQL takes this for a comment.
const AS_IT_IS = '/*M!110602 SET STATEMENT innodb_snapshot_isolation=OFF FOR */ ';

/** A message among others of its key. */
interface Rank {
  /** The key's hash. */
  readonly id: string;
  /** How many come after this one. */
  readonly after: number;
}

/**
 * Numbers messages by their keys, in the transaction that writes them. The rows of the keys stay locked until the end of
 * that transaction: others that send messages of these keys wait for it, and get later numbers. The rows are locked in one
 * order everywhere, so that two transactions never wait for each other.
 */
export class MessageNumbers {
  readonly #ranks: ReadonlyMap<Message, Rank>;
  /** Messages a key, sorted. */
  readonly #counts: readonly { readonly id: string; readonly count: number }[];

  private constructor(
    messages: readonly Message[],
    private readonly dialect: Dialect,
    private readonly tables: TableNames,
  ) {
    const ranks = new Map<Message, Rank>();
    const counts = new Map<string, number>();
    for (const message of messages.toReversed()) {
      const id = hashOf(message.key!);
      const after = counts.get(id) ?? 0;
      ranks.set(message, { id, after });
      counts.set(id, after + 1);
    }
    this.#ranks = ranks;
    this.#counts = [...counts]
      .map(([id, count]) => ({ id, count }))
      .sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** @returns undefined when no message has a key */
  static of(
    messages: readonly Message[],
    dialect: Dialect,
    tables: TableNames,
  ): MessageNumbers | undefined {
    const keyed = messages.filter(({ key }) => key !== null);
    return keyed.length === 0 ? undefined : new MessageNumbers(keyed, dialect, tables);
  }

  /** True when the numbers can be allocated by the very statement that writes the messages. */
  get areAllocatedAtOnce(): boolean {
    return this.dialect.name === 'postgres' && this.#ranks.size <= MOST_AT_ONCE;
  }

  /** True when no message can be there already, so that every number is used. */
  get areUsed(): boolean {
    return [...this.#ranks.keys()].every(({ isIdNew }) => isIdNew);
  }

  /** Allocates the numbers. @param gate default: whatever transaction it is */
  allocate(gate?: Gate): Statement {
    const { sequences: table } = this.tables;
    const { source, parameters } = this.#source(gate);
    const insert = `INSERT INTO ${table} (id, sequence) ${source}`;
    const sum = `sequence = ${table}.sequence +`;
    const sql =
      this.dialect.name === 'mysql'
        ? `${AS_IT_IS}${insert} ON DUPLICATE KEY UPDATE ${sum} VALUES(sequence)`
        : `${insert} ON CONFLICT (id) DO UPDATE SET ${sum} excluded.sequence RETURNING id AS key_id, sequence`;
    return { sql, parameters, answersRows: this.dialect.returns, tables: SEQUENCES };
  }

  /** A few keys are faster as plain values. */
  #source(gate: Gate | undefined) {
    if (this.#counts.length > MOST_AT_ONCE) {
      const rows = this.dialect.rows('r', COUNTED);
      return {
        source: `SELECT r.id, r.count FROM ${rows} WHERE ${gate?.condition ?? 'true'}`,
        parameters: [this.dialect.rowsParameter(COUNTED, this.#counts)],
      };
    }
    const pair = `${this.dialect.parameter('uuid')}, ${this.dialect.parameter('bigint')}`;
    return {
      source: rowsOf(
        this.#counts.map(() => pair),
        gate,
      ),
      parameters: this.#counts.flatMap(({ id, count }) => [id, count]),
    };
  }

  /** Allocates the numbers and reads them, where {@link allocate} does not return them. The last step's result has them. */
  steps(proof?: TransactionProof): Step[] {
    const allocate = proven(proof, (gate) => this.allocate(gate), ['key_id', 'sequence']);
    if (this.dialect.returns) return [allocate];
    const ids = this.#counts.map(({ id }) => id);
    const { rows, parameter } = idRows(this.dialect, ids);
    const condition = proof === undefined ? '' : `WHERE ${proof.gate.condition}`;
    const sql = `SELECT r.id AS key_id, s.sequence FROM ${rows} ${this.dialect.join} ${this.tables.sequences} s ON s.id = r.id ${condition}`;
    return [
      allocate,
      { sql, parameters: [parameter], answersRows: true, tables: SEQUENCES, proof },
    ];
  }

  /**
   * Numbers the messages before the steps that write them, and gives back what is not used.
   *
   * @param knownIds by the results so far: ids of messages that were there already
   */
  around(
    steps: readonly Step[],
    knownIds: (before: readonly Result[]) => ReadonlySet<string>,
  ): Step[] {
    const assign = (before: readonly Result[]) => {
      this.assign(before.at(-1)!);
      return null;
    };
    const numbered: Step[] = [...this.steps(), assign, ...steps];
    if (this.areUsed) return numbered;
    let rest: readonly Statement[] = [];
    return [
      ...numbered,
      (before) => (rest = this.giveBack(knownIds(before)))[0] ?? null,
      () => rest[1] ?? null,
      () => rest[2] ?? null,
    ];
  }

  /** Numbers the messages. @param allocated the result of the last of {@link steps} */
  assign({ rows }: Result): void {
    const latest = new Map(rows.map((row) => [String(row['key_id']), Number(row['sequence'])]));
    for (const [message, { id, after }] of this.#ranks) message.number(latest.get(id)! - after);
  }

  /** Numbers the messages that {@link expression} has numbered. @param written ids and numbers */
  assignWritten({ rows }: Result): void {
    const sequences = new Map(rows.map(({ id, sequence }) => [id, Number(sequence)]));
    for (const message of this.#ranks.keys()) {
      const sequence = sequences.get(keyOf('msg_', message.id));
      if (sequence !== undefined) message.number(sequence);
    }
  }

  /**
   * The number of a message as an expression over the result of {@link allocate}, with its parameter.
   *
   * @param allocated a table expression
   * @returns undefined for messages without a key
   */
  expression(message: Message, allocated: string): Statement | undefined {
    const rank = this.#ranks.get(message);
    if (rank === undefined) return undefined;
    return {
      sql: `(SELECT n.sequence - ${rank.after} FROM ${allocated} n WHERE n.key_id = ${this.dialect.parameter('uuid')})`,
      parameters: [rank.id],
    };
  }

  /**
   * Gives the numbers of messages back that were there already, so that none is missing: those of later messages change.
   *
   * @param known ids of messages that were there already
   * @param proof default: it runs where it is meant to
   */
  giveBack(known: ReadonlySet<string>, proof?: TransactionProof): Statement[] {
    const unused = new Map<string, number>();
    const moved: { id: string; sequence: number }[] = [];
    for (const [message, { id }] of [...this.#ranks].reverse()) {
      const before = unused.get(id) ?? 0;
      if (known.has(message.id)) unused.set(id, before + 1);
      else if (before > 0) {
        message.number(message.sequence! - before);
        moved.push({ id: keyOf('msg_', message.id), sequence: message.sequence! });
      }
    }
    const counts = [...unused].map(([id, count]) => ({ id, count }));
    const { messages, pendingMessages, sequences } = this.tables;
    return [
      // First: if the transaction has ended, this row is not gone with it, and others have numbered more since.
      this.#update(sequences, 'sequence = t.sequence - r.count', COUNTED, counts, proof?.later),
      this.#update(messages, 'sequence = r.sequence', NUMBERED, moved),
      this.#update(pendingMessages, 'sequence = r.sequence', NUMBERED, moved),
    ].flat();
  }

  #update(
    table: string,
    set: string,
    columns: Columns,
    rows: readonly object[],
    condition = 'TRUE',
  ): Statement[] {
    if (rows.length === 0) return [];
    const source = this.dialect.rows('r', columns);
    const sql = this.dialect.updateFrom(table, [set], source, `t.id = r.id AND ${condition}`);
    return [{ sql, parameters: [this.dialect.rowsParameter(columns, rows)] }];
  }
}
