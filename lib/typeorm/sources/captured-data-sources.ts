import type { DataSource } from 'typeorm';
import { ThornConfigurationError } from '../../errors/index.js';

/** The captured data sources, in the order of the option `dataSources`. */
export class CapturedDataSources {
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
      `ThornModule: the application has no TypeORM data source named '${name}'. Import ` +
        'TypeOrmModule.forRoot(), name the ones you have in dataSources, or say dataSources: [] to go without.',
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
