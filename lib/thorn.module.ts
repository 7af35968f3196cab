import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { DataSource, Repository } from 'typeorm';
import { assertEntitiesKnown, DeclaredEvents } from './capture/index.js';
import { WebhookHttpClient } from './delivery/index.js';
import { MessagePipeline } from './dispatch/index.js';
import type { EntityClass } from './event/index.js';
import { ConfigurableModuleClass } from './module/module-definition.js';
import { EntityCaptures } from './module/providers/capture.providers.js';
import { ThornDrainModule } from './module/drain.module.js';
import type { ThornModuleExtras, ThornModuleOptions } from './module/options/module-options.js';
import { checkIsAsync, checkIsOptions } from './module/options/settings.js';

type AsyncOptions = Parameters<typeof ConfigurableModuleClass.forRootAsync>[0];

/**
 * Webhooks for a NestJS application.
 *
 * `ThornModule.forRoot()` alone, in an application with a TypeORM data source, is a working set-up: it captures the
 * events of decorated entities and methods and delivers them to the subscribers in the table `thorn_subscribers`.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [
 *     TypeOrmModule.forRoot({ …, autoLoadEntities: true }),
 *     ThornModule.forRoot({ api: { guards: [AuthGuard], owner: (request) => request.user.id } }),
 *   ],
 * })
 * export class AppModule {}
 * ```
 */
@Module({ imports: [DiscoveryModule, ThornDrainModule] })
export class ThornModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationShutdown
{
  /**
   * Sets the module up.
   *
   * @throws {@link ThornConfigurationError} here or at start-up, naming the option and its fix
   */
  static override forRoot(options: ThornModuleOptions & ThornModuleExtras = {}): DynamicModule {
    checkIsOptions(options);
    return super.forRoot(options);
  }

  /**
   * Sets the module up with options that a factory answers; what decides the module's structure is given beside it.
   *
   * @throws {@link ThornConfigurationError} here or at start-up, naming the option and its fix
   *
   * @example
   * ```ts
   * ThornModule.forRootAsync({
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ baseUrl: config.getOrThrow('BASE_URL') }),
   *   api: { guards: [AuthGuard], owner: (request) => request.user.id },
   * });
   * ```
   */
  static override forRootAsync(options: AsyncOptions): DynamicModule {
    checkIsAsync(options);
    return super.forRootAsync(options);
  }

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(DeclaredEvents) private readonly declared: DeclaredEvents,
    @Inject(EntityCaptures) private readonly captures: EntityCaptures,
    @Inject(MessagePipeline) private readonly pipeline: MessagePipeline,
    @Inject(WebhookHttpClient) private readonly httpClient: WebhookHttpClient,
  ) {
    super();
  }

  /** Makes the events of methods known; those of entities are known since the data sources were attached. */
  onModuleInit(): void {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    for (const { metatype } of wrappers) {
      if (typeof metatype === 'function') this.declared.addMethods(metatype);
    }
    assertEntitiesKnown(
      entityClassesOf(wrappers.map(({ instance }) => instance as unknown)),
      this.captures.all.map(({ dataSource }) => dataSource),
    );
  }

  /** Delivers released messages before the application ends: every attempt has a deadline. */
  async onApplicationShutdown(): Promise<void> {
    for (const capture of this.captures.all) capture.detach();
    await this.pipeline.idle();
    await this.httpClient.close();
  }
}

/** The entities that this application uses: those it has repositories of, and all of its data sources. */
function entityClassesOf(instances: readonly unknown[]): Set<EntityClass> {
  const targets = instances.flatMap((instance) => {
    if (instance instanceof Repository) return [instance.target];
    if (instance instanceof DataSource) return instance.entityMetadatas.map(({ target }) => target);
    return [];
  });
  return new Set(targets.filter((target): target is EntityClass => typeof target === 'function'));
}
