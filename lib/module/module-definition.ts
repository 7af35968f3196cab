import { ConfigurableModuleBuilder, type DynamicModule, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import {
  apiControllers,
  ApiSettings,
  operatorControllers,
  PlatformProblems,
} from '../api/index.js';
import { apiProviders } from './providers/api.providers.js';
import { checkExtras } from './options/extras-check.js';
import type { DispatchSetting } from '../dispatch/index.js';
import type { ThornModuleExtras, ThornModuleOptions } from './options/module-options.js';
import { thornProviders } from './module-providers.js';
import { assertOneModule } from './one-module.js';
import { wrongOption, ThornSettings } from './options/settings.js';

const EXTRAS: Record<keyof ThornModuleExtras, undefined> = {
  dispatch: undefined,
  api: undefined,
  operatorApi: undefined,
  dataSources: undefined,
  imports: undefined,
  subscriberRepository: undefined,
  signer: undefined,
  recipientPolicy: undefined,
  retryPolicy: undefined,
  deliveryLog: undefined,
  httpClient: undefined,
  tracing: undefined,
  clock: undefined,
  global: undefined,
};

/** Made by Nest's builder: `forRoot` and `forRootAsync` take the same options, classes and structure as extras. */
const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<ThornModuleOptions>({
    moduleName: 'Thorn',
  })
    .setClassMethodName('forRoot')
    .setExtras<ThornModuleExtras>(EXTRAS as unknown as ThornModuleExtras, (definition, extras) =>
      assemble(definition, extras),
    )
    .build();

function assemble(definition: DynamicModule, extras: ThornModuleExtras): DynamicModule {
  checkExtras(extras);
  const { api, operatorApi, dispatch } = extras;
  const settings = api === undefined ? undefined : new ApiSettings(api);
  const wiring = thornProviders(extras);
  return {
    ...definition,
    global: extras.global ?? true,
    imports: [
      ...(definition.imports ?? []),
      ...(extras.imports ?? []),
      ...(api?.imports ?? []),
      ...(operatorApi?.imports ?? []),
    ],
    controllers: [
      ...(settings === undefined ? [] : apiControllers(settings)),
      ...(operatorApi === undefined ? [] : operatorControllers(operatorApi)),
      ...controllersOf(dispatch),
    ],
    providers: [
      ...(definition.providers ?? []),
      {
        provide: ThornSettings,
        inject: [MODULE_OPTIONS_TOKEN, ModulesContainer],
        useFactory: (options: ThornModuleOptions, modules: ModulesContainer) => {
          assertOneModule(modules);
          const settings = new ThornSettings(options, Object.keys(EXTRAS));
          checkClient(options, extras);
          checkLog(options, extras);
          return settings;
        },
      },
      ...wiring.providers,
      ...(settings === undefined ? [] : apiProviders(settings)),
      ...(settings === undefined && operatorApi === undefined ? [] : [PlatformProblems]),
    ],
    exports: wiring.exports,
  };
}

function controllersOf(dispatch: DispatchSetting | undefined): readonly Type<object>[] {
  return typeof dispatch === 'object' ? (dispatch.controllers ?? []) : [];
}

function checkClient({ egressProxy }: ThornModuleOptions, { httpClient }: ThornModuleExtras): void {
  if (egressProxy === undefined || httpClient === undefined) return;
  throw wrongOption(
    'egressProxy',
    `is for the default client: let ${httpClient.name} use the proxy`,
  );
}

function checkLog({ keepAttempts }: ThornModuleOptions, { deliveryLog }: ThornModuleExtras): void {
  if (keepAttempts === undefined || deliveryLog === undefined) return;
  throw wrongOption(
    'keepAttempts',
    `is for the default log: ${deliveryLog.name} decides for itself`,
  );
}

export { ConfigurableModuleClass };
