import { type FactoryProvider, Logger } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { CapturedDataSources } from '../../capture/index.js';
import { from } from '../../common/construct.js';
import { ThornSettings } from '../options/settings.js';
import { unsupportedDrivers } from '../options/supported-versions.js';

/** Reads the captured data sources, for the arguments of a provider. */
export const capturedDataSources = from([CapturedDataSources], ({ all }) => all);

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
    useFactory: (_settings: ThornSettings, ...found: (DataSource | undefined)[]) => {
      const captured = new CapturedDataSources(names, found);
      const types = captured.all.map(({ options }) => options.type);
      for (const text of unsupportedDrivers(types)) new Logger('Thorn').warn(text);
      return captured;
    },
  };
}
