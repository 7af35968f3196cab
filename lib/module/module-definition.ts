import { ConfigurableModuleBuilder, type DynamicModule, Logger, type Type } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import {
  apiControllers,
  ApiSettings,
  operatorControllers,
  OperatorSettings,
  RecentRetries,
  RegisteredPaths,
  SubscriberViews,
} from '../api/index.js';
import { apiProviders } from './providers/api.providers.js';
import { checkNamed } from './options/named-check.js';
import {
  checkExtras,
  checkReplaced,
  checkTypeOrmOptions,
  EXTRA_NAMES,
  NO_EXTRAS,
} from './options/extras-check.js';
import type { DispatchSetting } from '../dispatch/index.js';
import type { ThornModuleExtras, ThornModuleOptions } from './options/module-options.js';
import { guardDependencies } from './guard-dependencies.js';
import { thornProviders } from './module-providers.js';
import { checkPaths } from './options/path-check.js';
import { checkNode, unsupportedPackages } from '../common/supported-versions.js';
import { ThornConfigurationError } from '../errors/index.js';
import { ThornSettings } from './options/settings.js';

/** Made by Nest's builder: `forRoot` and `forRootAsync` take the same options, classes and structure as extras. */
const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<ThornModuleOptions>({
    moduleName: 'Thorn',
  })
    .setClassMethodName('forRoot')
    .setExtras<ThornModuleExtras>(NO_EXTRAS, (definition, extras) => assemble(definition, extras))
    .build();

function assemble(definition: DynamicModule, extras: ThornModuleExtras): DynamicModule {
  checkNode();
  // Before anything of another version is used.
  for (const text of unsupportedPackages()) new Logger('Thorn').warn(text);
  checkExtras(extras);
  const { api, operatorApi, page, dispatch } = extras;
  const settings = api === undefined ? undefined : new ApiSettings(api, page !== undefined);
  const operator = operatorApi === undefined ? undefined : new OperatorSettings(operatorApi);
  checkPaths({ api: settings, operatorApi: operator, page });
  const owners = settings === undefined ? [] : apiControllers(settings);
  const operators = operator === undefined ? [] : operatorControllers(operator);
  checkNamed('api', owners);
  checkNamed('operatorApi', operators);
  const pages =
    settings === undefined || page === undefined
      ? []
      : page.controllers({
          api: settings,
          ...(operator !== undefined && { operatorApi: operator }),
        });
  const controllers = [...owners, ...operators, ...pages];
  const explained = [...(settings?.problems ? [settings] : []), ...(operator ? [operator] : [])];
  const wiring = thornProviders(extras);
  return {
    ...definition,
    global: extras.global ?? true,
    imports: [
      ...(definition.imports ?? []),
      ...(extras.imports ?? []),
      ...(api?.imports ?? []),
      ...(operatorApi?.imports ?? []),
      ...wiring.imports,
    ],
    controllers: [...controllers, ...controllersOf(dispatch)],
    providers: [
      ...(definition.providers ?? []),
      {
        provide: ThornSettings,
        inject: [MODULE_OPTIONS_TOKEN, ModulesContainer],
        useFactory: (options: ThornModuleOptions, modules: ModulesContainer) => {
          assertOneModule(modules);
          const settings = new ThornSettings(options, EXTRA_NAMES);
          checkReplaced(options, extras);
          checkTypeOrmOptions(options, extras);
          return settings;
        },
      },
      ...wiring.providers,
      ...(settings === undefined ? [] : apiProviders(settings)),
      { provide: OperatorSettings, useValue: operator ?? null },
      ...(page?.providers ?? []),
      ...(settings === undefined && operatorApi === undefined
        ? []
        : [
            SubscriberViews,
            RecentRetries,
            {
              provide: RegisteredPaths,
              inject: [HttpAdapterHost],
              useFactory: (host: HttpAdapterHost) =>
                new RegisteredPaths(host, controllers, explained),
            },
            guardDependencies({
              api: settings?.guards ?? [],
              operatorApi: operator?.guards ?? [],
            }),
          ]),
    ],
    exports: [...wiring.exports, ...(page?.exports ?? [])],
  };
}

function controllersOf(dispatch: DispatchSetting | undefined): readonly Type<object>[] {
  return typeof dispatch === 'object' ? (dispatch.controllers ?? []) : [];
}

export { ConfigurableModuleClass };

/**
 * Refuses a second set-up in one application: both would send every event, with ids of their own, so that no receiver
 * could recognise the repetition. A module that is imported in several places is one module for Nest.
 *
 * @throws {@link ThornConfigurationError} saying which calls to look for
 */
function assertOneModule(modules: ModulesContainer): void {
  const own = [...modules.values()].filter(({ providers }) => providers.has(ThornSettings));
  if (own.length < 2) return;
  throw new ThornConfigurationError(
    'THORN_MODULE_TWICE',
    'ThornModule is set up more than once in one application, so that every event would be sent more than once. Look ' +
      'for ThornModule.forRoot() and forRootAsync(), and keep one call, in the root module: every module can inject its ' +
      'services.',
  );
}
