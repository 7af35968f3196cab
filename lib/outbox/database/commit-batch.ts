import type { EntityManager } from 'typeorm';
import type { Statement } from './dialect.js';
import type { Row } from './outbox-database.js';
import { type PgClient, type PgConnection, WriteBuffer } from './pg-client.js';
import { PreparedStatements } from './prepared-statements.js';

/** A property, because a WeakMap takes longer with each connection that was in it. */
const BATCH = Symbol('CommitBatch');

interface AnswerOfPg {
  readonly rows: readonly Row[];
}

/** The parts of TypeORM's query runner for PostgreSQL that its types do not show. */
interface Runner {
  readonly databaseConnection?: PgClient;
  readonly transactionDepth?: number;
  query: (sql: string, ...rest: unknown[]) => Promise<unknown>;
  [BATCH]?: CommitBatch;
}

interface HeldBack extends Statement {
  /** Undefined for a statement that returns no rows. */
  readonly resolve?: (rows: readonly Row[]) => void;
  /** True for a text that many transactions send. */
  readonly isRepeated?: boolean;
}

/**
 * Statements of a transaction of PostgreSQL that travel with its COMMIT, so that they take no round trip. When one fails,
 * PostgreSQL skips the others and the COMMIT, and the transaction is open and has failed.
 *
 * Their values are parameters as ever. pg has no method that sends several statements with parameters, but its connection
 * has one for each message of the protocol.
 */
export class CommitBatch {
  #statements: HeldBack[] = [];
  #answered: Promise<unknown>[] = [];
  /** Why the COMMIT has failed. */
  #failure: unknown;
  /** The method `query` of the runner while it waits for the end of the transaction. */
  #query: Runner['query'] | undefined;

  private constructor(
    private readonly runner: Runner,
    private readonly client: PgClient,
    private readonly connection: PgConnection,
  ) {}

  /**
   * The statements that go with the COMMIT of the open transaction.
   *
   * @returns undefined within savepoints, outside of transactions, and for clients that are not those of pg
   */
  static of({ queryRunner }: EntityManager): CommitBatch | undefined {
    if (queryRunner?.isTransactionActive !== true) return undefined;
    const runner = queryRunner as unknown as Runner;
    const { databaseConnection: client, transactionDepth } = runner;
    // What fails within a savepoint might be rolled back with it, and the transaction commit nevertheless.
    if (transactionDepth !== 1 || client?.connection?.parse === undefined) return undefined;
    return runner[BATCH] ?? new CommitBatch(runner, client, client.connection);
  }

  /** Adds statements that return no rows, and whose texts many transactions send. */
  push(statements: readonly Statement[]): void {
    this.#awaitEnd();
    for (const { sql, parameters } of statements) {
      this.#statements.push({ sql, parameters, isRepeated: true });
    }
  }

  /**
   * Adds the statements that `work` begins with. It gets their rows after the COMMIT, whose promise waits for it and fails
   * with it.
   */
  add(manager: EntityManager, work: (manager: EntityManager) => Promise<unknown>): void {
    this.#awaitEnd();
    const query = (sql: string, parameters: unknown[]): Promise<readonly Row[]> =>
      new Promise((resolve) => this.#statements.push({ sql, parameters, resolve }));
    const answered = work(Object.create(manager, { query: { value: query } }) as EntityManager);
    // A rollback asks for no rows.
    answered.catch(() => undefined);
    this.#answered.push(answered);
  }

  /** Runs the statements now, because others have to come after them. */
  async flush(): Promise<void> {
    const [statements, answered] = this.#drain();
    for (const { sql, parameters, resolve } of statements) {
      const rows = await this.runner.query(sql, parameters);
      resolve?.(rows as readonly Row[]);
    }
    await Promise.all(answered);
  }

  #drain(): readonly [HeldBack[], Promise<unknown>[]] {
    const held = [this.#statements, this.#answered] as const;
    [this.#statements, this.#answered] = [[], []];
    return held;
  }

  #awaitEnd(): void {
    const { runner } = this;
    // Others may have put their method in its place, or the one back that was there before.
    if (runner.query === this.#query) return;
    runner[BATCH] = this;
    const { query } = runner;
    this.#query = (sql, ...rest) => {
      if (sql === 'ROLLBACK') this.#drain();
      if (sql === 'ROLLBACK' || sql === 'START TRANSACTION') this.#failure = undefined;
      // PostgreSQL answers a second COMMIT as if nothing had failed, and TypeORM takes that for a commit.
      if (sql === 'COMMIT' && this.#failure !== undefined) return Promise.reject(this.#failure);
      if (sql !== 'COMMIT' || this.#statements.length === 0) {
        return query.call(runner, sql, ...rest);
      }
      const [statements, answered] = this.#drain();
      const done = this.#commit(statements, answered, (text) => query.call(runner, text, ...rest));
      done.catch((error: unknown) => (this.#failure = error));
      return done;
    };
    runner.query = this.#query;
  }

  #commit(
    statements: readonly HeldBack[],
    answered: readonly Promise<unknown>[],
    query: (text: string) => Promise<unknown>,
  ): Promise<unknown> {
    // As it is, PostgreSQL would refuse this text because of its parameters: it never commits without them.
    const text = [...statements.map(({ sql }) => sql), 'COMMIT'].join('; ');
    const next = nextOf(this.connection, this.client);
    const { question } = next.prepared;
    const sent = question === undefined ? statements : [...statements, question];
    next.batch = { text, statements: sent };
    if (answered.length === 0 && question === undefined) return this.#watched(query(text), next);
    const restore = this.#catchAnswers(text, sent);
    return this.#watched(query(text), next)
      .finally(restore)
      .then(() => Promise.all(answered));
  }

  #watched(done: Promise<unknown>, next: Next): Promise<unknown> {
    const { prepared, preparing } = next;
    done.then(
      () => {
        const names = preparing.splice(0);
        // What was sent behind the COMMIT may have made the server forget them.
        if (prepared.forgotten === next.forgotten) for (const name of names) prepared.confirm(name);
      },
      (error: unknown) => {
        preparing.length = 0;
        prepared.fail(error);
      },
    );
    return done;
  }

  /** TypeORM drops the rows of a text with several statements. */
  #catchAnswers(text: string, statements: readonly HeldBack[]): () => void {
    const { client } = this;
    const own = Object.getOwnPropertyDescriptor(client, 'query');
    const { query } = client;
    client.query = (sql, ...rest) => {
      const answer = query.call(client, sql, ...rest);
      // Who watches the runner may have added a comment.
      if (typeof sql !== 'string' || !sql.includes(text)) return answer;
      return (answer as Promise<readonly AnswerOfPg[]>).then((results) => {
        for (const [at, { resolve }] of statements.entries()) resolve?.(results[at]!.rows);
        return results.at(-1);
      });
    };
    return () => {
      if (own === undefined) delete (client as Partial<PgClient>).query;
      else Object.defineProperty(client, 'query', own);
    };
  }
}

/** What a connection sends in place of the text that pg is about to give it. */
interface Next {
  batch: { readonly text: string; readonly statements: readonly HeldBack[] } | undefined;
  /** What the COMMIT is in the protocol. */
  readonly commit: Buffer;
  readonly prepared: PreparedStatements;
  /** Names of the statements that the batch under way prepares. */
  readonly preparing: string[];
  /** {@link PreparedStatements.forgotten} when that batch was sent. */
  forgotten: number;
}

const nexts = new WeakMap<PgConnection, Next>();

/** The batch that a connection sends in place of a text. */
export function batchIn(connection: PgConnection, text: string): Next['batch'] {
  const batch = nexts.get(connection)?.batch;
  // Tracers add a comment to the text: behind it or before it.
  return batch !== undefined && text.includes(batch.text) ? batch : undefined;
}

function nextOf(connection: PgConnection, client: PgClient): Next {
  const known = nexts.get(connection);
  if (known !== undefined) return known;
  const prepared = new PreparedStatements(client);
  const commit = WriteBuffer.bytesOf('COMMIT', connection);
  const next: Next = { batch: undefined, commit, prepared, preparing: [], forgotten: 0 };
  nexts.set(connection, next);
  const buffer = new WriteBuffer(connection);
  const { query, parse } = connection;
  // For `this`: another copy of this library may call it for what it gathers.
  connection.parse = function (this: PgConnection, statement) {
    prepared.notice(statement.text);
    parse!.call(this, statement);
  };
  connection.query = (text) => {
    // Other statements may be under way on this connection.
    const batch = batchIn(connection, text);
    if (batch === undefined) {
      prepared.notice(text);
      return query.call(connection, text);
    }
    next.batch = undefined;
    next.forgotten = prepared.forgotten;
    write(buffer.connection, batch.statements, next);
    connection.stream.write(buffer.take());
  };
  return next;
}

function write(connection: PgConnection, statements: readonly HeldBack[], next: Next): void {
  const { prepared, preparing } = next;
  for (const { sql, parameters, resolve, isRepeated } of statements) {
    const name = isRepeated === true ? prepared.nameOf(sql) : undefined;
    if (name === undefined) connection.parse!({ text: sql });
    else if (!prepared.isPrepared(name) && !preparing.includes(name)) {
      // An attempt that failed may have left one.
      connection.close({ type: 'S', name });
      connection.parse!({ name, text: sql });
      preparing.push(name);
    }
    connection.bind({
      statement: name,
      values: parameters.map((value) => (value === null ? null : String(value))),
    });
    if (resolve !== undefined) connection.describe({ type: 'P' });
    connection.execute({});
  }
  connection.stream.write(next.commit);
  connection.sync();
}
