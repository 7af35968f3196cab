import type { EntityManager, QueryRunner } from 'typeorm';
import type { Row } from './outbox-database.js';

/** A connection of pg. Its methods write the messages of PostgreSQL's protocol. */
interface Wire {
  readonly stream: { cork?(): void; uncork?(): void };
  query: (text: string) => void;
  parse?(statement: { readonly text: string }): void;
  bind(values: { readonly values?: readonly (string | null)[] }): void;
  describe(portal: { readonly type: 'P' }): void;
  execute(portal: object): void;
  sync(): void;
}

/** A client of pg. */
interface Client {
  readonly connection?: Wire;
  query: (sql: string, ...rest: unknown[]) => unknown;
}

/** The parts of TypeORM's query runner for PostgreSQL that its types do not show. */
interface Runner {
  readonly databaseConnection?: Client;
  readonly transactionDepth?: number;
  query: (sql: string, ...rest: unknown[]) => Promise<unknown>;
}

interface HeldBack {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly resolve: (rows: readonly Row[]) => void;
}

const batches = new WeakMap<QueryRunner, CommitBatch>();

/**
 * Statements of a transaction of PostgreSQL that travel with its COMMIT, so that they take no round trip. When one fails,
 * PostgreSQL skips the others and the COMMIT, and the transaction is open and has failed.
 *
 * Their values are parameters as ever. pg has no method that sends several statements with parameters, but its connection
 * has one for each message of the protocol.
 */
export class CommitBatch {
  readonly #statements: HeldBack[] = [];
  readonly #answered: Promise<unknown>[] = [];

  private constructor(
    private readonly queryRunner: QueryRunner,
    private readonly client: Client,
    private readonly wire: Wire,
  ) {}

  /**
   * The statements that go with the COMMIT of the open transaction.
   *
   * @returns undefined within savepoints, outside of transactions, and for clients that are not those of pg
   */
  static of({ queryRunner }: EntityManager): CommitBatch | undefined {
    if (queryRunner?.isTransactionActive !== true) return undefined;
    const { databaseConnection: client, transactionDepth } = queryRunner as unknown as Runner;
    // What fails within a savepoint might be rolled back with it, and the transaction commit nevertheless.
    if (transactionDepth !== 1 || client?.connection?.parse === undefined) return undefined;
    return batches.get(queryRunner) ?? new CommitBatch(queryRunner, client, client.connection);
  }

  /** Adds the statements of `work`. It gets their answers after the COMMIT, whose promise waits for it and fails with it. */
  add(manager: EntityManager, work: (manager: EntityManager) => Promise<unknown>): void {
    if (this.#answered.length === 0) this.#awaitEnd();
    const query = (sql: string, parameters: unknown[]): Promise<readonly Row[]> =>
      new Promise((resolve) => this.#statements.push({ sql, parameters, resolve }));
    const answered = work(Object.create(manager, { query: { value: query } }) as EntityManager);
    // A rollback asks for no answer.
    answered.catch(() => undefined);
    this.#answered.push(answered);
  }

  #awaitEnd(): void {
    const { queryRunner } = this;
    const runner = queryRunner as unknown as Runner;
    batches.set(queryRunner, this);
    const restore = overrideQuery(runner, (query) => (sql, ...rest) => {
      if (sql !== 'COMMIT' && sql !== 'ROLLBACK') return query.call(runner, sql, ...rest);
      restore();
      batches.delete(queryRunner);
      if (sql === 'ROLLBACK') return query.call(runner, sql, ...rest);
      return this.#commit((text) => query.call(runner, text, ...rest));
    });
  }

  async #commit(query: (text: string) => Promise<unknown>): Promise<void> {
    const { client, wire } = this;
    // As it is, PostgreSQL would refuse this text because of its parameters: it never commits without them.
    const text = [...this.#statements.map(({ sql }) => sql), 'COMMIT'].join('; ');
    const restoreClient = overrideQuery(client, (send) => (sql, ...rest) => {
      const answer = send.call(client, sql, ...rest);
      return sql === text ? this.#answer(answer as Promise<AnswerOfPg[]>) : answer;
    });
    const restoreWire = overrideQuery(wire, (send) => (sent) => {
      // Others may be under way on this connection. Tracers add a comment to the text.
      if (sent.startsWith(text)) this.#write();
      else send.call(wire, sent);
    });
    try {
      await query(text);
    } finally {
      restoreWire();
      restoreClient();
    }
    await Promise.all(this.#answered);
  }

  #write(): void {
    const { wire } = this;
    wire.stream.cork?.();
    for (const { sql, parameters } of this.#statements) {
      wire.parse!({ text: sql });
      wire.bind({ values: parameters.map((value) => (value === null ? null : String(value))) });
      wire.describe({ type: 'P' });
      wire.execute({});
    }
    wire.parse!({ text: 'COMMIT' });
    wire.bind({});
    wire.execute({});
    wire.sync();
    wire.stream.uncork?.();
  }

  async #answer(answers: Promise<readonly AnswerOfPg[]>): Promise<AnswerOfPg> {
    const results = await answers;
    for (const [at, { resolve }] of this.#statements.entries()) resolve(results[at]!.rows);
    return results.at(-1)!;
  }
}

interface AnswerOfPg {
  readonly rows: readonly Row[];
}

/** Replaces the method `query` of an object. @returns puts it back */
function overrideQuery<Given extends unknown[], Answer>(
  object: { query: (...given: Given) => Answer },
  make: (query: (...given: Given) => Answer) => (...given: Given) => Answer,
): () => void {
  const before = Object.getOwnPropertyDescriptor(object, 'query');
  object.query = make(object.query);
  return () => {
    if (before === undefined) delete (object as Partial<typeof object>).query;
    else Object.defineProperty(object, 'query', before);
  };
}
