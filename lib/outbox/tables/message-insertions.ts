import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import type { Message } from '../../message/index.js';
import {
  type ColumnKind,
  type Columns,
  type Dialect,
  idRows,
  type Statement,
} from '../../database/dialect.js';
import type { Result, Step } from '../../database/sql-client.js';
import {
  type Gate,
  provenParts,
  rowsOf,
  type TransactionProof,
  withParts,
} from '../../database/transaction-proof.js';
import type { TableNames } from './table-names.js';
import { hashOf, keyOf } from './keys.js';
import type { NewLease } from './leases.js';
import type { MessageNumbers } from './message-numbers.js';
import { MESSAGE_COLUMNS, type MessageRowMapper } from './message-row-mapper.js';

// Well below the parameter limits of all drivers: 32,766 on SQLite, 65,535 on the others.
const ROWS_PER_INSERT = 1000;
// Well below the default statement size of MySQL and MariaDB: 64 and 16 MiB.
const BYTES_PER_INSERT = 4 * 1024 * 1024;

/**
 * Looks for messages that are there already. `stored`: those that this transaction can see. `committed`: later ones as
 * well, by a locking read.
 */
export type KnownCheck = 'none' | 'stored' | 'committed';

const ROWS_PREPARED = 20;

const MESSAGES = [OUTBOX_TABLES.messages.name];
const PENDING = [OUTBOX_TABLES.pendingMessages.name];

/** The columns of messages that are no texts. */
const KINDS: Readonly<Record<string, ColumnKind | 'json'>> = {
  id: 'uuid',
  time: 'bigint',
  sequence: 'bigint',
  recipients: 'json',
  body: 'json',
};

const KEYED: Columns = { id: 'uuid', key_hash: 'uuid', sequence: 'bigint' };

/** Builds the statements that write messages and their leases, and leave out messages whose id exists. */
export class MessageInsertions {
  /** @param position the expression of {@link newPosition}. Default: messages get none */
  constructor(
    private readonly dialect: Dialect,
    private readonly tables: TableNames,
    private readonly rows: MessageRowMapper,
    private readonly position?: string,
  ) {}

  /**
   * PostgreSQL needs one statement, SQLite two.
   *
   * @param check `none` for messages that cannot be there: their INSERT fails because of a duplicate. The others matter to
   * MySQL alone, whose INSERT cannot tell which rows it has written.
   * @param numbers to number the messages by the same statement, on PostgreSQL. Default: they have their numbers
   * @param proof of the transaction that was joined. Default: they run where they are meant to
   */
  steps(
    messages: readonly Message[],
    lease: NewLease,
    check: KnownCheck,
    numbers?: MessageNumbers,
    proof?: TransactionProof,
  ): readonly Step[] {
    const areNew = check === 'none' && numbers === undefined;
    // The statements are built late: once the messages are numbered.
    if (this.dialect.name === 'postgres') {
      return [
        () =>
          areNew
            ? this.#insertWithLeases(messages, lease, proof)
            : this.#insertNew(messages, lease, numbers, proof),
      ];
    }
    if (this.dialect.returns) {
      const sets = this.dialect.name === 'sqlite' ? preparedSets(messages) : [messages];
      if (areNew) {
        return [...sets.map((set) => () => this.#insert(set)), () => this.#lease(messages, lease)];
      }
      const end = 'ON CONFLICT (id) DO NOTHING RETURNING id';
      return [
        ...sets.map((set) => () => ({ ...this.#insert(set, end), answersRows: true })),
        (before) => {
          const keys = new Set(before.slice(-sets.length).flatMap(keysOf));
          return this.#lease(
            messages.filter(({ id }) => keys.has(keyOf('msg_', id))),
            lease,
          );
        },
      ];
    }
    const fresh = (known: Result) => {
      const keys = new Set(keysOf(known));
      return messages.filter(({ id }) => !keys.has(keyOf('msg_', id)));
    };
    return [
      () => (check === 'none' ? null : this.#known(messages, check, proof)),
      (before) => {
        const left = fresh(before.at(-1)!);
        return left.length === 0
          ? null
          : { ...this.#insert(left, '', undefined, proof?.gate), proof };
      },
      (before) => {
        const statement = this.#lease(fresh(before.at(-2)!), lease, proof?.gate);
        return statement && { ...statement, proof };
      },
    ];
  }

  /** Returns the ids that existed before, by the results of all steps, which have looked for them. */
  knownIds(messages: readonly Message[], results: readonly Result[]): ReadonlySet<string> {
    const answered = new Set(results.flatMap(keysOf));
    const { returns: isWritten } = this.dialect;
    return new Set(
      messages.map(({ id }) => id).filter((id) => answered.has(keyOf('msg_', id)) !== isWritten),
    );
  }

  #insert(
    messages: readonly Message[],
    end = '',
    numbers?: MessageNumbers,
    gate?: Gate,
  ): Statement {
    const rows = messages.map((message) => this.rows.valuesOf(message));
    // Half of the columns are mostly null, and each parameter costs time.
    const used = MESSAGE_COLUMNS.map((_, at) => rows.some((values) => values[at] !== null));
    if (numbers !== undefined) used[MESSAGE_COLUMNS.length - 1] = true;
    const columns = MESSAGE_COLUMNS.filter((_, at) => used[at]);
    const marks = columns.map((name) => this.dialect.parameter(KINDS[name] ?? 'text'));
    const [named, first] =
      this.position === undefined ? ['', ''] : ['position, ', `${this.position}, `];
    const tuple = `${first}${marks.join(', ')}`;
    const parameters: unknown[] = [];
    const tuples = messages.map((message, index) => {
      const values = rows[index]!.filter((_, at) => used[at]);
      const number = numbers?.expression(message, 'allocated');
      if (number !== undefined) values.splice(-1, 1, ...number.parameters);
      parameters.push(...values);
      return number === undefined
        ? tuple
        : `${first}${[...marks.slice(0, -1), number.sql].join(', ')}`;
    });
    return {
      sql: `INSERT INTO ${this.tables.messages} (${named}${columns.join(', ')}) ${rowsOf(tuples, gate)} ${end}`,
      parameters,
      tables: MESSAGES,
    };
  }

  /** The parameters of a token and a time. */
  get #leaseMarks(): string {
    return `${this.dialect.parameter('text')}, ${this.dialect.parameter('bigint')}`;
  }

  #lease(
    messages: readonly Message[],
    { token, leasedUntil }: NewLease,
    gate?: Gate,
  ): Statement | null {
    if (messages.length === 0) return null;
    const { pendingMessages: table } = this.tables;
    const lease = this.#leaseMarks;
    if (messages.length === 1 && messages[0]!.key === null) {
      return {
        sql: `INSERT INTO ${table} (id, lease, due_at) ${rowsOf([`${this.dialect.parameter('uuid')}, ${lease}`], gate)}`,
        parameters: [keyOf('msg_', messages[0]!.id), token, leasedUntil],
        tables: PENDING,
      };
    }
    const keyed = messages.map((message) => ({
      id: keyOf('msg_', message.id),
      key_hash: message.key === null ? null : hashOf(message.key),
      sequence: message.sequence,
    }));
    return {
      sql: `INSERT INTO ${table} (id, key_hash, sequence, lease, due_at) SELECT r.id, r.key_hash, r.sequence, ${lease} FROM ${this.dialect.rows('r', KEYED)}${gate === undefined ? '' : ` WHERE ${gate.condition}`}`,
      parameters: [token, leasedUntil, this.dialect.rowsParameter(KEYED, keyed)],
      tables: PENDING,
    };
  }

  /**
   * Messages and leases by one statement of PostgreSQL. It asks nothing back but the proof, so that there is less to plan.
   */
  #insertWithLeases(
    messages: readonly Message[],
    lease: NewLease,
    proof: TransactionProof | undefined,
  ): Statement {
    const pending = this.#lease(messages, lease, proof?.gate)!;
    const stored = this.#insert(messages, '', undefined, proof?.gate);
    if (proof !== undefined) return provenParts(proof, { pending, stored });
    return {
      sql: `WITH pending AS (${pending.sql}) ${stored.sql}`,
      parameters: [...pending.parameters, ...stored.parameters],
      tables: [...MESSAGES, ...PENDING],
    };
  }

  /** Inserts the messages that are not there yet, by one statement of PostgreSQL. */
  #insertNew(
    messages: readonly Message[],
    lease: NewLease,
    numbers: MessageNumbers | undefined,
    proof: TransactionProof | undefined,
  ): Statement {
    const end = 'ON CONFLICT (id) DO NOTHING RETURNING id, sequence';
    const parts = {
      ...(numbers && { allocated: numbers.allocate(proof?.gate) }),
      stored: this.#insert(messages, end, numbers, proof?.gate),
      pending: this.#leaseStored(messages, lease),
    };
    const answered = { from: 'stored', columns: ['id', 'sequence'] };
    return proof === undefined ? withParts(parts, answered) : provenParts(proof, parts, answered);
  }

  /** The leases of the rows `stored`, which the same statement of PostgreSQL writes. */
  #leaseStored(messages: readonly Message[], { token, leasedUntil }: NewLease): Statement {
    const table = this.tables.pendingMessages;
    const keyed = messages.filter(({ key }) => key !== null);
    if (keyed.length === 0) {
      return {
        sql: `INSERT INTO ${table} (id, lease, due_at) SELECT id, ${this.#leaseMarks} FROM stored`,
        parameters: [token, leasedUntil],
        tables: PENDING,
      };
    }
    const hashes = keyed.map(() => '(?::uuid, ?::uuid)').join(', ');
    return {
      sql: `INSERT INTO ${table} (id, key_hash, sequence, lease, due_at) SELECT s.id, k.key_hash, s.sequence, ${this.#leaseMarks} FROM stored s LEFT JOIN (VALUES ${hashes}) AS k(id, key_hash) ON k.id = s.id`,
      parameters: [
        token,
        leasedUntil,
        ...keyed.flatMap(({ id, key }) => [keyOf('msg_', id), hashOf(key!)]),
      ],
      tables: PENDING,
    };
  }

  #known(
    messages: readonly Message[],
    check: KnownCheck,
    proof: TransactionProof | undefined,
  ): Statement {
    const { dialect, tables } = this;
    const ids = messages.map(({ id }) => keyOf('msg_', id));
    const { rows, parameter } = idRows(dialect, ids);
    const lock = check === 'committed' ? 'LOCK IN SHARE MODE' : '';
    // Of the rows that were sent: Prisma 6 cannot read texts of a binary collation, as the table has them. Each of them is
    // answered, so that no row means no transaction.
    const sql = `SELECT IF(m.id IS NULL, NULL, r.id) AS id FROM ${rows} LEFT JOIN ${tables.messages} m ON m.id = r.id WHERE ${proof?.gate.condition ?? 'TRUE'} ${lock}`;
    return { sql, parameters: [parameter], answersRows: true, tables: MESSAGES, proof };
  }
}

/** Sets of two sizes alone: on SQLite the statement for each number of rows stays prepared. */
function preparedSets(messages: readonly Message[]): readonly (readonly Message[])[] {
  const sets: (readonly Message[])[] = [];
  for (let at = 0; at < messages.length;) {
    const size = messages.length - at >= ROWS_PREPARED ? ROWS_PREPARED : 1;
    sets.push(messages.slice(at, at + size));
    at += size;
  }
  return sets;
}

function keysOf({ rows }: Result): readonly string[] {
  return rows.map(({ id }) => id as string);
}

/** Messages in sets that one statement takes. */
export function chunksOf(messages: readonly Message[]): readonly Message[][] {
  const chunks: Message[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const size = Buffer.byteLength(message.text);
    if (bytes + size > BYTES_PER_INSERT || chunks.at(-1)!.length === ROWS_PER_INSERT) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)!.push(message);
    bytes += size;
  }
  return chunks;
}
