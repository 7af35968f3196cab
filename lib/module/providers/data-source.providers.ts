import type { FactoryProvider } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { ThornConfigurationError } from '../../errors/index.js';
import { ThornSubscriber } from '../../subscriber/index.js';
import { ThornSettings } from '../options/settings.js';

/** The captured data sources, in the order of the option `dataSources`. */
export class CapturedDataSources {
  /** @param names by which the application knows them, in the same order */
  constructor(
    readonly all: readonly DataSource[],
    readonly names: readonly string[],
  ) {}
}

export function dataSourcesProvider(
  names: readonly string[],
): FactoryProvider<CapturedDataSources> {
  return {
    provide: CapturedDataSources,
    // The settings first: a wrong option is told before anything that may follow from it.
    inject: [
      ThornSettings,
      ...names.map((name) => ({ token: getDataSourceToken(name), optional: true })),
    ],
    useFactory: (_settings: ThornSettings, ...dataSources: (DataSource | undefined)[]) =>
      new CapturedDataSources(
        dataSources.map((dataSource, index) => {
          if (dataSource !== undefined) return initialised(dataSource, names[index]!);
          throw new ThornConfigurationError(
            `ThornModule: the application has no TypeORM data source named '${names[index]}'. Import ` +
              'TypeOrmModule.forRoot(), name the ones you have in dataSources, or say dataSources: [] to go without.',
            { dataSource: names[index] },
          );
        }),
        names,
      ),
  };
}

/** @throws {@link ThornConfigurationError} when the data source lacks the library's tables */
export function withTable(dataSource: DataSource): DataSource {
  if (dataSource.hasMetadata(ThornSubscriber)) return dataSource;
  throw new ThornConfigurationError(
    "ThornModule: the data source does not know the library's tables. Set autoLoadEntities: true, or add " +
      '...thornEntities to its entities and ...thornMigrations to its migrations.',
  );
}

function initialised(dataSource: DataSource, name: string): DataSource {
  if (dataSource.isInitialized) return dataSource;
  throw new ThornConfigurationError(
    `ThornModule: the data source '${name}' is not initialised. Leave out manualInitialization, or call its ` +
      'initialize() before the application starts.',
    { dataSource: name },
  );
}
