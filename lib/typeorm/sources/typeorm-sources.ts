import { type DynamicModule, Logger } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { assertEntitiesKnown, unknownEntities } from '../entities/entity-checks.js';
import { CapturedEntityMessageSource } from './captured-entity-message-source.js';
import { CapturedTransactions } from './captured-transactions.js';
import { ReportedEntities } from '../triggers/reported-entities.js';
import { EntityCapture } from '../hooks/entity-capture.js';
import {
  type EventsWithoutData,
  eventsWithoutData,
  type ReportedSource,
  secretColumns,
} from '../../capture/index.js';
import {
  BULK_SETTINGS,
  type BulkSettings,
  type EntityClass,
  isEntityClass,
} from '../../event/index.js';
import { thornEntities } from '../index.js';
import { DataSource, Repository } from 'typeorm';
import { DataSourceClient } from '../data-source-client.js';
import { unsupportedDrivers } from '../../common/supported-versions.js';
import {
  type CaptureDependencies,
  type CapturedDatabase,
  EntityCaptures,
  EntitySourceFinder,
  EntitySources,
  type ShownSecrets,
} from '../../capture/entity-sources.js';
import { ThornConfigurationError } from '../../errors/index.js';

/** A module of its own, because its injections are known only once TypeORM is loaded. */
class ThornTypeOrmModule {}

export function typeOrmSources(names: readonly string[]): DynamicModule {
  // Called only for autoLoadEntities: its providers would hide a missing data source behind an error of the injector.
  for (const name of names) TypeOrmModule.forFeature(thornEntities, name);
  return {
    module: ThornTypeOrmModule,
    providers: [
      {
        provide: EntitySourceFinder,
        inject: names.map((name) => ({ token: getDataSourceToken(name), optional: true })),
        useFactory: (...found: (DataSource | undefined)[]): EntitySourceFinder => ({
          async find() {
            const { all } = new CapturedDataSources(names, found);
            return new TypeOrmSources(names, await Promise.all(all.map(createClient)));
          },
        }),
      },
    ],
    exports: [EntitySourceFinder],
  };
}

class TypeOrmSources extends EntitySources {
  override readonly databases: readonly CapturedDatabase[];

  constructor(
    names: readonly string[],
    private readonly clients: readonly DataSourceClient[],
  ) {
    super();
    this.databases = clients.map((client, index) => ({
      name: names[index]!,
      type: client.dataSource.options.type,
      client,
    }));
    const types = this.databases.map(({ type }) => type);
    for (const text of unsupportedDrivers(types)) new Logger('Thorn').warn(text);
  }

  override capture(dependencies: CaptureDependencies): EntityCaptures {
    return new TypeOrmCaptures(this.clients, dependencies);
  }
}

class TypeOrmCaptures extends EntityCaptures {
  readonly #captures: readonly EntityCapture[];
  override readonly transactions: CapturedTransactions;
  override readonly messages: CapturedEntityMessageSource;

  constructor(
    clients: readonly DataSourceClient[],
    { declared, options, ...dependencies }: CaptureDependencies,
  ) {
    super();
    this.#captures = clients.map((client) => {
      const capture = new EntityCapture(client, {
        ...dependencies,
        ...bulkSettings(options),
        serializeTransactions: options.serializeTransactions,
      });
      capture.attach();
      declared.addEntities(capture.plans);
      return capture;
    });
    const { transactions = this.knowsCallers ? 'optional' : 'required' } = options;
    this.transactions = new CapturedTransactions(this.#captures, transactions === 'required');
    this.messages = new CapturedEntityMessageSource(this.#captures);
  }

  get #dataSources(): readonly DataSource[] {
    return this.#captures.map(({ dataSource }) => dataSource);
  }

  override get knowsCallers(): boolean {
    return this.#captures.some(({ hasHooks }) => hasHooks);
  }

  override reported(): readonly ReportedSource[] {
    return this.#captures
      .filter(({ reported }) => reported.entities.size > 0)
      .map((capture) => ({ client: capture.client, tables: new ReportedEntities(capture) }));
  }

  override assertKnown(classes: readonly EntityClass[], instances: readonly unknown[]): void {
    assertEntitiesKnown([...entityClassesOf(instances), ...classes], this.#dataSources);
  }

  override unknown(classes: Iterable<EntityClass>): readonly EntityClass[] {
    return unknownEntities(classes, this.#dataSources);
  }

  override entityOf(table: string): string | undefined {
    return this.#captures
      .flatMap(({ plans }) => plans)
      .find(({ metadata }) => [metadata.tablePath, metadata.tableName].includes(table))?.metadata
      .name;
  }

  override secrets(): readonly ShownSecrets[] {
    return secretColumns(this.#captures.flatMap(({ plans }) => plans));
  }

  override eventsWithoutData(): readonly EventsWithoutData[] {
    return eventsWithoutData(this.#captures.flatMap(({ plans }) => plans));
  }

  override detach(): void {
    for (const capture of this.#captures) capture.detach();
  }
}

/** The entities that this application uses: those it has repositories of, and all of its data sources. */
function entityClassesOf(instances: readonly unknown[]): Set<EntityClass> {
  const targets = instances.flatMap((instance) => {
    if (instance instanceof Repository) return [instance.target];
    if (instance instanceof DataSource) return instance.entityMetadatas.map(({ target }) => target);
    return [];
  });
  return new Set(targets.filter(isEntityClass));
}

function bulkSettings(options: BulkSettings): BulkSettings {
  const names = Object.keys(BULK_SETTINGS) as (keyof BulkSettings)[];
  return Object.fromEntries(names.map((name) => [name, options[name]])) as BulkSettings;
}

/** The captured data sources, in the order of the option `dataSources`. */
class CapturedDataSources {
  readonly all: readonly DataSource[];

  /**
   * @param names the names of the data sources in the application
   * @param found the data sources in the same order, undefined for names that the application does not have
   * @throws {@link ThornConfigurationError} naming a data source that is missing or not initialised
   */
  constructor(
    readonly names: readonly string[],
    found: readonly (DataSource | undefined)[],
  ) {
    this.all = found.map((dataSource, index) => initialised(dataSource, names[index]!));
  }
}

function initialised(dataSource: DataSource | undefined, name: string): DataSource {
  if (dataSource === undefined) {
    throw new ThornConfigurationError(
      'THORN_DATA_SOURCE_MISSING',
      `ThornModule: the application has no TypeORM data source named '${name}'. With another client, such as Prisma or ` +
        'Drizzle, give it by the option database: fromPrisma(), fromDrizzle() and others of nestjs-thorn/sql. With TypeORM, ' +
        'import TypeOrmModule.forRoot(), or name your data sources in dataSources. Without a database, say dataSources: [].',
      { dataSource: name },
    );
  }
  if (dataSource.isInitialized) return dataSource;
  throw new ThornConfigurationError(
    'THORN_DATA_SOURCE_NOT_INITIALIZED',
    `ThornModule: the data source '${name}' is not initialised. Leave out manualInitialization, or call its ` +
      'initialize() before the application starts.',
    { dataSource: name },
  );
}

/**
 * Makes the client of a data source. An application has one client for each data source, so that transactions and
 * stores can compare them. The parts for SQLite are loaded only for a data source on SQLite.
 */
export async function createClient(dataSource: DataSource): Promise<DataSourceClient> {
  if (dataSource.options.type !== 'better-sqlite3') return new DataSourceClient(dataSource);
  const { SqliteClient } = await import('../sqlite/sqlite-client.js');
  return new SqliteClient(dataSource);
}
