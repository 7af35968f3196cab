import type { Connections } from '../connection/connection-state.js';
import { queryRunnerOf } from '../private-properties.js';
import type { Execute, WriteBuilder, WriteInterceptor } from '../criteria/write-builders.js';
import type { WriteContext } from '../criteria/write-context.js';
import { isPostgres } from '../rows/row-lock.js';

/**
 * Refuses a `remove()` that leaves some of its rows in the table. A trigger of PostgreSQL may keep a row with
 * `RETURN NULL`: the database reports no error, and TypeORM's hooks say that the row was removed.
 */
export class KeptRows implements WriteInterceptor {
  constructor(
    private readonly context: WriteContext,
    private readonly connections: Connections,
  ) {}

  async write(builder: WriteBuilder, execute: Execute): Promise<unknown> {
    const { context } = this;
    const { metadata } = builder.expressionMap.mainAlias!;
    const queryRunner = queryRunnerOf(builder);
    const plan = context.plan.entities.get(metadata);
    if (queryRunner === undefined || plan === undefined || !isPostgres(context.dataSource)) {
      return execute();
    }
    const { rows, missing } = this.connections.of(queryRunner).save;
    // No subscriber would get an event of these rows.
    if (!rows.has(plan) || !plan.events.some(({ options: { on } }) => on === 'delete')) {
      return execute();
    }
    const read = rowsNamed(builder) - (missing.get(metadata)?.size ?? 0);
    const result = await execute();
    const hit = (result as { readonly affected?: number | null }).affected;
    if (typeof hit === 'number' && hit < read) {
      const error = context.guard.otherRows(metadata.name, 'remove', { read, hit });
      if (!queryRunner.isTransactionActive) throw error;
      context.refuse(queryRunner, error);
    }
    return result;
  }
}

/**
 * The number of rows that the condition of a removal names. For one row the condition is a list of columns, for several
 * rows a list of such lists.
 */
function rowsNamed({ expressionMap: { wheres } }: WriteBuilder): number {
  const condition = wheres[0]?.condition;
  const rows = Array.isArray(condition) ? condition.filter(({ type }) => type === 'or') : [];
  return Math.max(rows.length, 1);
}
