import { Inject, Injectable, Optional, type OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource, EntityMetadata, EntityTarget, ObjectLiteral } from 'typeorm';
import { ApiSettings } from '../api/index.js';
import { CapturedDataSources } from '../capture/index.js';
import { escapePath } from '../common/typeorm-compat.js';
import { DispatchStrategy } from '../dispatch/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import { ThornIdempotencyKey } from '../idempotency/index.js';
import { outboxEntities, OutboxStrategy } from '../outbox/index.js';
import { ThornPortalLink } from '../portal/index.js';
import {
  SubscriberRepository,
  ThornSubscriber,
  DatabaseSubscriberRepository,
} from '../subscriber/index.js';

/** Ends the start of an application whose database lacks tables or columns that it is about to use. */
@Injectable()
export class SchemaCheck implements OnApplicationBootstrap {
  constructor(
    @Inject(CapturedDataSources) private readonly dataSources: CapturedDataSources,
    @Inject(DispatchStrategy) private readonly strategy: DispatchStrategy,
    @Inject(SubscriberRepository) private readonly subscribers: SubscriberRepository,
    @Optional() @Inject(ApiSettings) private readonly api: ApiSettings | undefined,
  ) {}

  /** By now an application has run its own migrations, if it does so at start-up. */
  async onApplicationBootstrap(): Promise<void> {
    const isDurable = this.strategy instanceof OutboxStrategy;
    const keepsSubscribers = this.subscribers instanceof DatabaseSubscriberRepository;
    for (const [index, dataSource] of this.dataSources.all.entries()) {
      await checkSchema(dataSource, this.dataSources.names[index]!, [
        ...(isDurable ? outboxEntities : []),
        ...(index === 0 && keepsSubscribers ? [ThornSubscriber] : []),
        ...(index === 0 && this.api !== undefined ? [ThornIdempotencyKey] : []),
        ...(index === 0 && this.api?.portal === true ? [ThornPortalLink] : []),
      ]);
    }
  }
}

/**
 * Checks that the tables of entities are there, with all columns. Resolves when the database cannot be reached:
 * the users of the tables wait for it.
 *
 * @param name of the data source in the application
 * @throws {@link ThornConfigurationError} naming what is missing, and what to do
 */
async function checkSchema(
  dataSource: DataSource,
  name: string,
  entities: readonly EntityTarget<ObjectLiteral>[],
): Promise<void> {
  for (const entity of entities) {
    if (!dataSource.hasMetadata(entity)) continue;
    const metadata = dataSource.getMetadata(entity);
    const columns = metadata.columns.map(({ databaseName }) => databaseName);
    if (await canSelect(dataSource, metadata, columns)) continue;
    if (!(await canSelect(dataSource, null, []))) return;
    if (!(await canSelect(dataSource, metadata, []))) throw missing(dataSource, name, metadata, []);
    const absent: string[] = [];
    for (const column of columns) {
      if (!(await canSelect(dataSource, metadata, [column]))) absent.push(column);
    }
    if (absent.length > 0) throw missing(dataSource, name, metadata, absent);
  }
}

/** @param metadata null: asks whether the database answers at all */
async function canSelect(
  dataSource: DataSource,
  metadata: EntityMetadata | null,
  columns: readonly string[],
): Promise<boolean> {
  // With the alias: SQLite takes a quoted name without one that it does not know for a text.
  const selection =
    columns.map((column) => `t.${dataSource.driver.escape(column)}`).join(', ') || '1';
  const table = metadata === null ? undefined : escapePath(dataSource, metadata.tablePath);
  try {
    await dataSource.query(
      `SELECT ${selection}${table === undefined ? '' : ` FROM ${table} t WHERE 1 = 0`}`,
    );
    return true;
  } catch {
    return false;
  }
}

function missing(
  { options: { type } }: DataSource,
  name: string,
  { tablePath }: EntityMetadata,
  columns: readonly string[],
): ThornConfigurationError {
  const what =
    columns.length === 0
      ? `no table ${tablePath}`
      : `no column ${columns.join(', ')} in the table ${tablePath}`;
  const database = type === 'better-sqlite3' ? 'sqlite' : type;
  return new ThornConfigurationError(
    'THORN_TABLES_MISSING',
    `The data source "${name}" has ${what}. Add ...thornMigrations to its migrations and run them, set ` +
      `synchronize: true in development, or run the SQL that \`npx thorn migrations ${database}\` prints.`,
    { dataSource: name, table: tablePath, columns },
  );
}
