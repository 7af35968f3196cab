import type { Gate, Result, Statement, TransactionProof } from './dialect.js';

export type { Gate, TransactionProof } from './dialect.js';

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
    const number = String(row[READ]);
    if (this.#number !== undefined && this.#number !== number) throw this.ended();
    this.#number = number;
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
    // Every statement has the condition.
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
    ...tablesUsed(parts),
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
    ...tablesUsed(parts),
    proof,
  };
}

/** Left out where no part names any: who runs the statement tells of those itself. */
function tablesUsed(parts: Parts): Pick<Statement, 'tables'> {
  const tables = Object.values(parts).flatMap((part) => part.tables ?? []);
  return tables.length === 0 ? {} : { tables };
}

function tablesOf(parts: Parts): string {
  return Object.entries(parts)
    .map(([name, { sql }]) => `${name} AS (${sql})`)
    .join(', ');
}
