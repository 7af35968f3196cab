import type { Statement } from '../../database/dialect.js';
import type { Result, Step } from '../../database/sql-client.js';
import type { SqlStore } from '../../database/sql-store.js';
import { deleteAttemptsOf, dropAnswersOf } from '../tables/attempts.js';
import { deleteOver, dropFirstAnswers, selectNotOver, selectOver } from '../tables/deliveries.js';
import { keyOf, type MessageCursor, rangesOf } from '../tables/keys.js';
import { deleteFinished, dropBodies } from '../tables/messages.js';
import type { TableNames, Target } from '../tables/table-names.js';
import { MORE_THAN_MOST, MOST_DELIVERIES } from './message-states.js';

/** The messages that a removal has left. */
export interface Remainder {
  /** Messages with more deliveries than one transaction takes: the next call goes on with them. */
  readonly begun: readonly MessageCursor[];
  /** Messages of which a delivery has become due again since they were looked at. */
  readonly kept: readonly MessageCursor[];
}

/**
 * Deletes finished messages, or drops parts of them. Messages that have become due again since `before`, in milliseconds
 * since the Unix epoch, are left.
 *
 * A transaction takes {@link MOST_DELIVERIES} at most: a message to many subscribers would exceed the time of a transaction
 * and the size of a statement.
 */
export class MessageRemoval {
  readonly #target: Target;

  constructor(
    private readonly database: SqlStore,
    tables: TableNames,
  ) {
    this.#target = { dialect: database.dialect, tables };
  }

  /** Deletes messages with their deliveries and attempts. A message goes with the last of its deliveries. */
  async messages(messages: readonly MessageCursor[], before: number): Promise<Remainder> {
    const target = this.#target;
    const remainders: Remainder[] = [];
    for (const set of rangesOf(messages)) {
      const [found, , , others] = await this.database.execute([
        selectOver(target, set, before, MORE_THAN_MOST, false),
        among((keys) => deleteAttemptsOf(target, keys)),
        among((keys) => deleteOver(target, keys)),
        (results) => (isPart(results[0]!) ? null : selectNotOver(target, set, before)),
        (results) => {
          if (isPart(results[0]!)) return null;
          const gone = partition(set, results[3]!).others.map(({ id }) => keyOf('msg_', id));
          return gone.length === 0 ? null : deleteFinished(target, gone);
        },
      ]);
      remainders.push(
        isPart(found!)
          ? { begun: set, kept: [] }
          : { begun: [], kept: partition(set, others!).kept },
      );
    }
    return sum(remainders);
  }

  /** Drops the bodies of messages; the rows stay. */
  async bodies(messages: readonly MessageCursor[], before: number): Promise<Remainder> {
    const target = this.#target;
    const remainders: Remainder[] = [];
    for (const set of rangesOf(messages)) {
      const [found] = await this.database.execute([
        selectNotOver(target, set, before),
        (results) => {
          const { others } = partition(set, results[0]!);
          const keys = others.map(({ id }) => keyOf('msg_', id));
          return keys.length === 0 ? null : dropBodies(target, keys);
        },
      ]);
      remainders.push({ begun: [], kept: partition(set, found!).kept });
    }
    return sum(remainders);
  }

  /** Drops what endpoints have answered to messages; the rows stay. */
  async responses(messages: readonly MessageCursor[], before: number): Promise<Remainder> {
    const target = this.#target;
    const remainders: Remainder[] = [];
    for (const set of rangesOf(messages)) {
      const [found] = await this.database.execute([
        selectOver(target, set, before, MORE_THAN_MOST, true),
        among((keys) => dropFirstAnswers(target, keys)),
        among((keys) => dropAnswersOf(target, keys)),
      ]);
      remainders.push({ begun: isPart(found!) ? set : [], kept: [] });
    }
    return sum(remainders);
  }
}

/** A step on the deliveries that the first step has found. */
function among(build: (keys: readonly string[]) => Statement): Step {
  return (results) => {
    const keys = keysOf(results[0]!, 'id');
    return keys.length === 0 ? null : build(keys);
  };
}

function isPart({ rows }: Result): boolean {
  return rows.length > MOST_DELIVERIES;
}

/** Parts messages by whether their keys were found. */
function partition(messages: readonly MessageCursor[], found: Result) {
  const keys = new Set(keysOf(found, 'message_id'));
  const isFound = ({ id }: MessageCursor) => keys.has(keyOf('msg_', id));
  return {
    kept: messages.filter(isFound),
    others: messages.filter((message) => !isFound(message)),
  };
}

function sum(remainders: readonly Remainder[]): Remainder {
  return {
    begun: remainders.flatMap(({ begun }) => begun),
    kept: remainders.flatMap(({ kept }) => kept),
  };
}

function keysOf({ rows }: Result, column: string): readonly string[] {
  return rows.map((row) => row[column] as string);
}
