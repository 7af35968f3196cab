import type { ObjectLiteral, QueryBuilder, QueryRunner } from 'typeorm';

/**
 * The connection that a query builder was given; undefined when it takes one from the pool. TypeORM has a method that sets
 * it, and none that tells it.
 */
export function queryRunnerOf(builder: QueryBuilder<ObjectLiteral>): QueryRunner | undefined {
  return Reflect.get(builder, 'queryRunner') as QueryRunner | undefined;
}
