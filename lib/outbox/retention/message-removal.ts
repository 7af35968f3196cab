import { idRows, type Statement } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Result } from '../../database/sql-client.js';
import type { TableNames } from '../tables/table-names.js';
import { isOfMessages, keyOf, rangesOf } from '../tables/keys.js';
import type { MessageCursor } from '../tables/message-cursor.js';
import { hasAnswers, MORE_THAN_MOST, MOST_DELIVERIES } from './message-states.js';

/** The messages that a removal has left. */
export interface Remainder {
  /** Messages with more deliveries than one transaction takes: the next call goes on with them. */
  readonly begun: readonly MessageCursor[];
  /** Messages of which a delivery has become due again since they were looked at. */
  readonly kept: readonly MessageCursor[];
}

// Conditions on a row `d` of thorn_deliveries.
const IS_OVER = 'd.due_at IS NULL AND (d.finished_at IS NULL OR d.finished_at < ?)';
const IS_NOT_OVER = '(d.due_at IS NOT NULL OR d.finished_at >= ?)';

/**
 * The SQL that deletes finished messages, or drops parts of them. What has become due again since `before`, in milliseconds
 * since the Unix epoch, is left.
 *
 * A transaction takes {@link MOST_DELIVERIES} at most: a message to many subscribers would exceed the time of a transaction
 * and the size of a statement.
 */
export class MessageRemoval {
  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
  ) {}

  /** Deletes messages with their deliveries and attempts. A message goes with the last of its deliveries. */
  async messages(messages: readonly MessageCursor[], before: number): Promise<Remainder> {
    const { messages: table, pendingMessages, deliveries, attempts } = this.tables;
    const isFinished = `NOT EXISTS (SELECT 1 FROM ${pendingMessages} p WHERE p.id = t.id)`;
    const remainders: Remainder[] = [];
    for (const set of rangesOf(messages)) {
      const finished = (results: readonly Result[]) => keysOf(results[0]!, 'id');
      const [found, , , others] = await this.database.execute([
        this.#someOf(set, IS_OVER, before),
        (results) => this.#deletion(attempts, 't.delivery_id = r.id', finished(results)),
        (results) =>
          this.#deletion(deliveries, 't.id = r.id AND t.due_at IS NULL', finished(results)),
        (results) => (isPart(results[0]!) ? null : this.#unfinishedOf(set, before)),
        (results) => {
          if (isPart(results[0]!)) return null;
          const gone = partition(set, results[3]!).others.map(({ id }) => keyOf('msg_', id));
          return this.#deletion(table, `t.id = r.id AND ${isFinished}`, gone);
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
    const { dialect } = this.database;
    const remainders: Remainder[] = [];
    for (const set of rangesOf(messages)) {
      const [found] = await this.database.execute([
        this.#unfinishedOf(set, before),
        (results) => {
          const { others } = partition(set, results[0]!);
          if (others.length === 0) return null;
          const { rows, parameter } = idRows(
            dialect,
            others.map(({ id }) => keyOf('msg_', id)),
          );
          // With the body, the secrets of subscribers that the message names itself.
          const changes = ['body = NULL', "recipients = '[]'"];
          const where = 't.id = r.id AND t.body IS NOT NULL';
          return {
            sql: dialect.updateFrom(this.tables.messages, changes, rows, where),
            parameters: [parameter],
          };
        },
      ]);
      remainders.push({ begun: [], kept: partition(set, found!).kept });
    }
    return sum(remainders);
  }

  /** Drops what endpoints have answered to messages; the rows stay. */
  async responses(messages: readonly MessageCursor[], before: number): Promise<Remainder> {
    const { dialect } = this.database;
    const { deliveries, attempts } = this.tables;
    const drop = (table: string, column: string) => (results: readonly Result[]) => {
      const keys = keysOf(results[0]!, 'id');
      if (keys.length === 0) return null;
      const { rows, parameter } = idRows(dialect, keys);
      const where = `t.${column} = r.id AND (t.response IS NOT NULL OR t.answer_headers IS NOT NULL)`;
      const set = ['response = NULL', 'answer_headers = NULL'];
      return {
        sql: dialect.updateFrom(table, set, rows, where),
        parameters: [parameter],
      };
    };
    const remainders: Remainder[] = [];
    for (const set of rangesOf(messages)) {
      const [found] = await this.database.execute([
        this.#someOf(set, `${IS_OVER} AND ${hasAnswers(this.tables)}`, before),
        drop(deliveries, 'id'),
        drop(attempts, 'delivery_id'),
      ]);
      remainders.push({ begun: isPart(found!) ? set : [], kept: [] });
    }
    return sum(remainders);
  }

  #someOf(messages: readonly MessageCursor[], condition: string, before: number): Statement {
    const { sql, parameters } = isOfMessages(messages);
    return {
      sql: `SELECT d.id FROM ${this.tables.deliveries} d WHERE ${sql} AND ${condition} ${MORE_THAN_MOST}`,
      parameters: [...parameters, before],
    };
  }

  #unfinishedOf(messages: readonly MessageCursor[], before: number): Statement {
    const { sql, parameters } = isOfMessages(messages);
    return {
      sql: `SELECT DISTINCT d.message_id FROM ${this.tables.deliveries} d WHERE ${sql} AND ${IS_NOT_OVER}`,
      parameters: [...parameters, before],
    };
  }

  #deletion(table: string, where: string, keys: readonly string[]): Statement | null {
    if (keys.length === 0) return null;
    const { rows, parameter } = idRows(this.database.dialect, keys);
    return { sql: this.database.dialect.deleteFrom(table, rows, where), parameters: [parameter] };
  }
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
