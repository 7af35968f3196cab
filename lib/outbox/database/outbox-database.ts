import type { EntityManager } from 'typeorm';
import type { Dialect, Statement } from './dialect.js';

/** A row as the driver answers it. */
export type Row = Readonly<Record<string, unknown>>;

/** The result of one statement. */
export interface Result {
  readonly rows: readonly Row[];
  /** Rows that were written or, where a statement answers rows, how many of them. */
  readonly affected: number;
}

/** A statement, or one that depends on what the ones before it answered; null for none. */
export type Step = Statement | ((before: readonly Result[]) => Statement | null);

/** The result of a step without statements. */
export const NOTHING_DONE: Result = { rows: [], affected: 0 };

/** The strategy's own way to a database, apart from the application's transactions but for {@link OutboxDatabase.runWithin}. */
export abstract class OutboxDatabase {
  abstract readonly dialect: Dialect;

  /** Before the first {@link execute}. */
  abstract open(): Promise<void>;

  /** Runs statements in one transaction, all or none. @returns a result for each step */
  abstract execute(steps: readonly Step[]): Promise<readonly Result[]>;

  /**
   * Like {@link execute}, for a set of which nothing is read, and which changes nothing more when it is run twice. Its
   * parameters are texts, numbers and null.
   */
  async write(set: readonly Step[]): Promise<void> {
    await this.execute(set);
  }

  /** True when {@link write} does not hold up the event loop: SQLite writes within it. */
  get writesApart(): boolean {
    return true;
  }

  /** Runs one statement. */
  async run(statement: Statement): Promise<Result> {
    const [result] = await this.execute([statement]);
    return result!;
  }

  /** Runs statements with a manager of the application: in its transaction, when it is in one. */
  async runWithin(manager: EntityManager, steps: readonly Step[]): Promise<readonly Result[]> {
    const results: Result[] = [];
    for (const step of steps) {
      const statement = typeof step === 'function' ? step(results) : step;
      results.push(statement === null ? NOTHING_DONE : await this.query(manager, statement));
    }
    return results;
  }

  protected async query(manager: EntityManager, { sql, parameters }: Statement): Promise<Result> {
    // save() and insert() are several times slower, and their hooks would capture these rows.
    const rows: unknown = await manager.query(
      this.dialect.placeholders(sql),
      parameters as unknown[],
    );
    return Array.isArray(rows) ? { rows: rows as Row[], affected: 0 } : NOTHING_DONE;
  }

  /** After the last {@link execute}; what still waits is rejected. */
  abstract close(): Promise<void>;
}
