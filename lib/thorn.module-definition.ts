import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { apiController, jwksController } from './api/index.js';
import {
  type ThornModuleExtras,
  type ThornModuleOptions,
  ThornSettings,
} from './thorn.module-options.js';
import { thornProviders } from './thorn.module-providers.js';

const EXTRAS: Record<keyof ThornModuleExtras, undefined> = {
  dispatch: undefined,
  api: undefined,
  dataSources: undefined,
  imports: undefined,
  subscriberRepository: undefined,
  signer: undefined,
  recipientPolicy: undefined,
  retryPolicy: undefined,
  httpClient: undefined,
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
  const { api } = extras;
  const wiring = thornProviders(extras);
  return {
    ...definition,
    global: extras.global ?? true,
    imports: [...(definition.imports ?? []), ...(extras.imports ?? []), ...(api?.imports ?? [])],
    controllers: api === undefined ? [] : [apiController(api), jwksController(api)],
    providers: [
      ...(definition.providers ?? []),
      {
        provide: ThornSettings,
        inject: [MODULE_OPTIONS_TOKEN],
        useFactory: (options: ThornModuleOptions) =>
          new ThornSettings(options, Object.keys(EXTRAS)),
      },
      ...wiring.providers,
    ],
    exports: wiring.exports,
  };
}

export { ConfigurableModuleClass };
