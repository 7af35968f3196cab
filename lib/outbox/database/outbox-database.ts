import type { DataSource, EntityManager } from 'typeorm';
import type { Statement } from '../../database/dialect.js';
import { type Result, runSteps, type Step } from '../../database/sql-client.js';
import { TypeOrmClient } from '../../database/typeorm-client.js';

/** The strategy's own way to a database, apart from the application's transactions but for {@link OutboxDatabase.runWithin}. */
export abstract class OutboxDatabase extends TypeOrmClient<DataSource> {
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
  override async run(statement: Statement): Promise<Result> {
    const [result] = await this.execute([statement]);
    return result!;
  }

  /** Runs statements with a manager of the application: in its transaction, when it is in one. */
  runWithin(manager: EntityManager, steps: readonly Step[]): Promise<readonly Result[]> {
    const executor = this.within(manager);
    return runSteps((statement) => executor.run(statement), steps);
  }

  /** After the last {@link execute}; what still waits is rejected. */
  abstract close(): Promise<void>;
}
