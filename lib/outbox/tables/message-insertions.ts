import type { Message } from '../../message/index.js';
import type { Statement } from '../../database/dialect.js';
import type { Result, Step } from '../../database/sql-client.js';
import {
  type Gate,
  provenParts,
  type TransactionProof,
  withParts,
} from '../../database/transaction-proof.js';
import { hashOf, keyOf } from './keys.js';
import type { NewLease } from './leases.js';
import type { MessageNumbers } from './message-numbers.js';
import type { MessageRowMapper } from './message-row-mapper.js';
import { insertMessages, selectKnown } from './messages.js';
import { insertPending, insertPendingOfStored, type PendingMessage } from './pending-messages.js';
import type { Target } from './table-names.js';

// Well below the parameter limits of all drivers: 32,766 on SQLite, 65,535 on the others.
const ROWS_PER_INSERT = 1000;
// Well below the default statement size of MySQL and MariaDB: 64 and 16 MiB.
const BYTES_PER_INSERT = 4 * 1024 * 1024;

/**
 * Looks for messages that are there already. `stored`: messages that this transaction can see. `committed`: later ones as
 * well, by a locking read.
 */
export type KnownCheck = 'none' | 'stored' | 'committed';

const ROWS_PREPARED = 20;

/** Builds the statements that write messages and their leases, and leave out messages whose id exists. */
export class MessageInsertions {
  readonly #target: Target;

  /** @param position the expression of {@link newPosition}. Default: messages get none */
  constructor(
    target: Target,
    private readonly rows: MessageRowMapper,
    private readonly position?: string,
  ) {
    this.#target = target;
  }

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
    if (this.#target.dialect.name === 'postgres') {
      return [
        () =>
          areNew
            ? this.#insertWithLeases(messages, lease, proof)
            : this.#insertNew(messages, lease, numbers, proof),
      ];
    }
    if (this.#target.dialect.returns) {
      const sets = this.#target.dialect.name === 'sqlite' ? preparedSets(messages) : [messages];
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
      () =>
        check === 'none'
          ? null
          : selectKnown(
              this.#target,
              messages.map(({ id }) => id),
              check === 'committed',
              proof,
            ),
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
    const { returns: isWritten } = this.#target.dialect;
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
    const numberOf =
      numbers && ((index: number) => numbers.expression(messages[index]!, 'allocated'));
    const rows = messages.map((message) => this.rows.valuesOf(message));
    return insertMessages(this.#target, rows, { end, numberOf, gate, position: this.position });
  }

  #lease(messages: readonly Message[], lease: NewLease, gate?: Gate): Statement | null {
    return messages.length === 0
      ? null
      : insertPending(this.#target, messages.map(pendingOf), lease, gate);
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
      tables: [...stored.tables!, ...pending.tables!],
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
      pending: insertPendingOfStored(this.#target, messages.map(pendingOf), lease),
    };
    const answered = { from: 'stored', columns: ['id', 'sequence'] };
    return proof === undefined ? withParts(parts, answered) : provenParts(proof, parts, answered);
  }
}

function pendingOf({ id, key, sequence }: Message): PendingMessage {
  return { id, keyHash: key === null ? null : hashOf(key), sequence };
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
