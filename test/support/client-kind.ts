import type { SqlClientDefinition } from '../../lib/sql/index.js';

/** Of a transaction. */
export type Work<Transaction, Answer> = (transaction: Transaction) => Promise<Answer>;

/** An application's client, on one database. */
export interface OpenedClient<Transaction> {
  readonly bare: object;
  begin<Answer>(work: Work<Transaction, Answer>): Promise<Answer>;
  close(): Promise<unknown>;
}

/** A client of applications, and how they use it. */
export interface ClientKind<Transaction> {
  readonly name: string;
  open(url: string, connections: number): Promise<OpenedClient<Transaction>>;
  define(bare: object, url: string): SqlClientDefinition<Transaction>;
  nested(transaction: Transaction, work: Work<Transaction, void>): Promise<void>;
  execute(transaction: Transaction, sql: string): Promise<unknown>;
}

/** Runs work between SAVEPOINT and RELEASE. */
export async function withSavepoint(
  run: (sql: string) => PromiseLike<unknown>,
  work: () => Promise<void>,
) {
  await run('SAVEPOINT inner_one');
  try {
    await work();
  } catch (error) {
    await run('ROLLBACK TO SAVEPOINT inner_one');
    throw error;
  }
  await run('RELEASE SAVEPOINT inner_one');
}

/**
 * Of a workspace, whose packages the compiler sees in test/tooling/client-types.spec.ts alone. A process of its own is told
 * by the environment where it has been bundled.
 */
export async function openBy(folder: string) {
  const path = process.env[`THORN_TEST_${folder}`] ?? `../clients/${folder}/open.ts`;
  return (await import(path)) as Record<string, (...given: unknown[]) => object>;
}
