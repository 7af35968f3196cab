import type { DynamicModule } from '@nestjs/common';
import { missingPackages } from '../errors/require-packages.js';

const PACKAGES = ['typeorm', '@nestjs/typeorm'];

/**
 * Loads the classes that need TypeORM, which is an optional package. Nest awaits it before it makes any provider: data sources with
 * `autoLoadEntities` are still to come then.
 */
export function loadTypeOrmSources(names: readonly string[]): Promise<DynamicModule> {
  const loading = import('../typeorm/sources/typeorm-sources.js').then(
    ({ typeOrmSources }) => typeOrmSources(names),
    (error: unknown) => {
      throw isMissing(error) ? noTypeOrm() : error;
    },
  );
  // An application that is never started does not await it.
  loading.catch(() => undefined);
  return loading;
}

function isMissing(error: unknown): boolean {
  const { code, message = '' } = error as Partial<NodeJS.ErrnoException>;
  const isModule = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
  return isModule && PACKAGES.some((name) => message.includes(`'${name}'`));
}

function noTypeOrm(): Error {
  return missingPackages(
    'ThornModule.forRoot() without the option database, or dataSources: [] for none,',
    PACKAGES,
  );
}
