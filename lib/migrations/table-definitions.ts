import { type QueryRunner, Table, type TableIndexOptions } from 'typeorm';
import { dataSourceOf, MYSQL_ENGINE } from '../common/typeorm-compat.js';

type ColumnType = 'varchar' | 'text' | 'json' | 'boolean' | 'int' | 'bigint' | 'uuid';

interface Column {
  readonly name: string;
  readonly type: string;
}

/** The name of a table of the library, with the data source's `entityPrefix`, as its entity has it. */
export function prefixedName(queryRunner: QueryRunner, table: string): string {
  const { options, namingStrategy } = dataSourceOf(queryRunner);
  const prefix = options.entityPrefix;
  return prefix ? namingStrategy.prefixTableName(prefix, table) : table;
}

/** Defines the columns of a table for the database of a query runner. */
export class ColumnDefinitions {
  constructor(private readonly queryRunner: QueryRunner) {}

  /** Each driver has its own word for some types; a column with an empty word has no length. */
  of(name: string, type: ColumnType): Column {
    return { name, type: dataSourceOf(this.queryRunner).driver.normalizeType({ type }) };
  }

  /** A text of at most `length` characters. */
  text(name: string, length: number): Column & { readonly length: string } {
    return { ...this.of(name, 'varchar'), length: String(length) };
  }

  /** A JSON text that keeps its bytes. MariaDB and MySQL keep them in LONGTEXT alone. */
  json(name: string): Column {
    const { type } = dataSourceOf(this.queryRunner).options;
    return type === 'mysql' || type === 'mariadb'
      ? { name, type: 'longtext' }
      : this.of(name, 'json');
  }
}

export function optional<Definition extends Column>(definition: Definition) {
  return { ...definition, isNullable: true };
}

export function primary<Definition extends Column>(definition: Definition) {
  return { ...definition, isPrimary: true };
}

/**
 * Creates a table of the library. Indexes get their names from the naming strategy, as those of entities do: they
 * follow the prefix of the table.
 */
export async function createTable(
  queryRunner: QueryRunner,
  table: string,
  columns: readonly Column[],
  indices: readonly TableIndexOptions[] = [],
): Promise<void> {
  await queryRunner.createTable(
    new Table({
      name: prefixedName(queryRunner, table),
      engine: MYSQL_ENGINE,
      columns: [...columns],
      indices: [...indices],
    }),
  );
}

/** Removes tables of the library, in this order. */
export async function dropTables(queryRunner: QueryRunner, ...tables: string[]): Promise<void> {
  for (const table of tables) await queryRunner.dropTable(prefixedName(queryRunner, table));
}
