import type { Statement } from './dialect.js';
import type { Result } from './sql-client.js';

/** What makes a statement write in an open transaction, and nowhere else. */
export interface Gate {
  /** A condition of each part of the statement that writes. */
  readonly condition: string;
  /** What a SELECT of values with a condition is from. Default: from nothing. */
  readonly from?: string;
  /** On PostgreSQL: a common table expression that the statement begins with. */
  readonly table?: Statement;
  /** On PostgreSQL: what the statement selects for {@link TransactionProof.accepts}, and from where. */
  readonly answer?: { readonly columns: string; readonly from: string };
}

/**
 * Lets a statement prove that it runs in the transaction that was joined. A question before it proves nothing: where the
 * application does not wait for a message, its client may queue the statement behind the ROLLBACK.
 *
 * A statement proves that it runs in some transaction. It is the one that was joined as long as nothing but microtasks
 * comes between `SqlClient.join()` and the first statement, and between the answer to one and the next: before that,
 * the connection can be in no other transaction, as only the event loop brings the answers to a ROLLBACK and a BEGIN.
 * Whoever waits for anything else calls {@link JoinedTransaction.hold} first.
 */
export interface TransactionProof {
  /** The error for a statement outside of the transaction. */
  readonly ended: () => Error;
  /** For the next statement. */
  readonly gate: Gate;
  /**
   * Reads the answer to a statement with the {@link gate}.
   *
   * @returns false when nothing was written, and the statement has to be built and run once more
   * @throws `TransactionEndedError` when nothing was written, as the statement did not run in the transaction
   */
  accepts(result: Result): boolean;
  /** A condition of a statement that reads the application's rows, and a column of it, for {@link learn}. Empty: none. */
  readonly reading: { readonly condition: string; readonly column: string };
  /** A condition of a statement that comes after one with the {@link gate}, and has nothing to answer. */
  readonly later: string;
  /** Takes what a statement of the transaction has read. */
  learn(row: Result['rows'][number]): void;
}

const NUMBER = 'CAST(txid_current_if_assigned() AS text)';
/** The column of {@link TransactionProof.reading}. */
const READ = 'joined_transaction';

/**
 * The proof of PostgreSQL: the number of the transaction. A statement that is a transaction of its own has none before
 * its first row is written. Neither has a transaction that has written nothing yet: there the first statement writes
 * nothing, but gets a number and answers it, and the second one writes in the transaction of that number alone.
 */
export class NumberedTransaction implements TransactionProof {
  readonly reading = { condition: '', column: `CAST(txid_current() AS text) AS ${READ}` };
  readonly later = 'txid_current_if_assigned() IS NOT NULL';
  #number: string | undefined;

  constructor(readonly ended: () => Error) {}

  get gate(): Gate {
    const number = this.#number;
    const isOpen = number === undefined ? 'IS NOT NULL' : '= CAST(? AS text)';
    return {
      condition: 'EXISTS (SELECT FROM joined)',
      table: {
        // Read once, before any part of the statement gets a number by writing.
        sql: `joined AS MATERIALIZED (SELECT n.number FROM (SELECT ${NUMBER} AS number) n WHERE n.number ${isOpen})`,
        parameters: number === undefined ? [] : [number],
      },
      answer: {
        columns: 'p.proven, CAST(txid_current() AS text) AS number',
        from: '(SELECT COUNT(*) AS proven FROM joined) p',
      },
    };
  }

  accepts({ rows }: Result): boolean {
    const { proven, number } = rows[0]!;
    const isProven = Number(proven) > 0;
    if (!isProven && this.#number !== undefined) throw this.ended();
    this.#number = String(number);
    return isProven;
  }

  learn(row: Result['rows'][number]): void {
    this.#number = String(row[READ]);
  }
}

/** The proof of MariaDB, which knows whether a transaction is open. MySQL does not, and takes the condition for a comment. */
export class OpenTransaction implements TransactionProof {
  readonly gate: Gate = {
    condition: 'TRUE /*M! AND @@in_transaction = 1 */',
    from: 'FROM DUAL',
  };
  readonly later = this.gate.condition;
  readonly reading = { condition: '/*M! AND @@in_transaction = 1 */', column: '' };

  constructor(readonly ended: () => Error) {}

  accepts({ affected }: Result): boolean {
    if (affected === 0) throw this.ended();
    return true;
  }

  learn(): void {
    // Each statement has the condition.
  }
}

/**
 * The source of an INSERT of rows.
 *
 * @param tuples the values of each, without parentheses
 * @param gate default: they are written whatever transaction it is
 */
export function rowsOf(tuples: readonly string[], gate?: Gate): string {
  if (gate === undefined) return `VALUES ${tuples.map((values) => `(${values})`).join(', ')}`;
  const { from = '', condition } = gate;
  return tuples.map((values) => `SELECT ${values} ${from} WHERE ${condition}`).join(' UNION ALL ');
}

/**
 * A step that writes in the transaction of a proof alone.
 *
 * @param proof undefined: it writes wherever it runs
 * @param build makes the INSERT or UPDATE, with the condition of the gate
 * @param columns that it returns
 */
export function proven(
  proof: TransactionProof | undefined,
  build: (gate: Gate | undefined) => Statement,
  columns: readonly string[] = [],
): () => Statement {
  return () => {
    const statement = build(proof?.gate);
    return proof?.gate.table === undefined
      ? { ...statement, proof }
      : provenParts(proof, { written: statement }, { from: 'written', columns });
  };
}

/** Parts of a statement of PostgreSQL that write. */
type Parts = Readonly<Record<string, Statement>>;

/** The part whose rows are answered, with its columns. */
interface Answered {
  readonly from: string;
  readonly columns: readonly string[];
}

/** A statement of PostgreSQL of several parts that write. */
export function withParts(parts: Parts, { from, columns }: Answered): Statement {
  return {
    sql: `WITH ${tablesOf(parts)} SELECT ${columns.join(', ')} FROM ${from}`,
    parameters: Object.values(parts).flatMap(({ parameters }) => parameters),
    answersRows: true,
    tables: tablesUsed(parts),
  };
}

/** {@link withParts} with a proof, whose gate the parts have. @param answered default: nothing but the proof */
export function provenParts(proof: TransactionProof, parts: Parts, answered?: Answered): Statement {
  const { table, answer } = proof.gate;
  const columns = answered?.columns.map((column) => `, a.${column}`).join('') ?? '';
  const from = columns === '' ? '' : ` LEFT JOIN ${answered!.from} a ON TRUE`;
  return {
    sql: `WITH ${table!.sql}, ${tablesOf(parts)} SELECT ${answer!.columns}${columns} FROM ${answer!.from}${from}`,
    parameters: [
      ...table!.parameters,
      ...Object.values(parts).flatMap(({ parameters }) => parameters),
    ],
    answersRows: true,
    tables: tablesUsed(parts),
    proof,
  };
}

function tablesUsed(parts: Parts): readonly string[] {
  return Object.values(parts).flatMap(({ tables = [] }) => tables);
}

function tablesOf(parts: Parts): string {
  return Object.entries(parts)
    .map(([name, { sql }]) => `${name} AS (${sql})`)
    .join(', ');
}
