import {
  type DynamicModule,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import type { ApiRequest } from './api/index.js';
import { WebhookHttpClient } from './delivery/index.js';
import {
  DispatchStrategy,
  MessagePipeline,
  SubscriberExpiry,
  SubscriberNotices,
  WebhookDispatcher,
} from './dispatch/index.js';
import { EventDiscovery } from './module/event-discovery.js';
import { ConfigurableModuleClass } from './module/module-definition.js';
import { EXTRA_NAMES } from './module/options/extras-check.js';
import { EntityCaptures } from './capture/entity-sources.js';
import { ReportedSources } from './capture/index.js';
import { ThornDrainModule } from './module/drain.module.js';
import type { ThornModuleExtras, ThornModuleOptions } from './module/options/module-options.js';
import { checkIsAsync, checkIsOptions } from './module/options/settings.js';
import { StartupReport } from './module/startup-report.js';
import { unconfiguredProviders } from './module/unconfigured.providers.js';
import { OutboxStrategy, SqlClients } from './outbox/index.js';
import { Subscribers } from './subscriber/index.js';

type AsyncOptions<Request extends object> = Pick<ThornModuleExtras<Request>, 'api'> &
  Omit<Parameters<typeof ConfigurableModuleClass.forRootAsync>[0], 'api'>;

/** What the module itself and most applications inject. */
const SERVICES = [
  ...[EventDiscovery, EntityCaptures, MessagePipeline, WebhookHttpClient, StartupReport],
  ...[DispatchStrategy, WebhookDispatcher, Subscribers, SqlClients, ReportedSources],
];

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
@Module({
  imports: [DiscoveryModule, ThornDrainModule],
  providers: [...unconfiguredProviders(SERVICES)],
  exports: [WebhookDispatcher, Subscribers],
})
export class ThornModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown
{
  /**
   * Sets the module up.
   *
   * @throws {@link ThornConfigurationError} here or at start-up, naming the option and its fix
   */
  static override forRoot<Request extends object = ApiRequest>(
    options: ThornModuleOptions & ThornModuleExtras<Request> = {},
  ): DynamicModule {
    checkIsOptions(options);
    return super.forRoot(options as ThornModuleExtras);
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
  static override forRootAsync<Request extends object = ApiRequest>(
    options: AsyncOptions<Request>,
  ): DynamicModule {
    checkIsAsync(options, EXTRA_NAMES);
    return super.forRootAsync(options as AsyncOptions<ApiRequest>);
  }

  constructor(
    private readonly discovery: EventDiscovery,
    private readonly captures: EntityCaptures,
    private readonly strategy: DispatchStrategy,
    private readonly pipeline: MessagePipeline,
    private readonly httpClient: WebhookHttpClient,
    private readonly report: StartupReport,
    private readonly clients: SqlClients,
    private readonly expiry: SubscriberExpiry,
    private readonly notices: SubscriberNotices,
    private readonly reported: ReportedSources,
  ) {
    super();
  }

  onModuleInit(): void {
    this.discovery.run();
  }

  /** Nest calls this after the hooks of the providers: the tables have been checked. */
  async onApplicationBootstrap(): Promise<void> {
    const { strategy, reported } = this;
    if (strategy instanceof OutboxStrategy) await strategy.start((client) => reported.of(client));
    this.expiry.start();
    this.notices.start();
    this.report.log();
    await this.report.logLostShapes();
  }

  /** Delivers released messages before the application ends: every attempt has a deadline. */
  async onApplicationShutdown(): Promise<void> {
    this.captures.detach();
    await this.pipeline.idle();
    // The outbox has left the requests that are still in flight to other processes.
    if (this.strategy instanceof OutboxStrategy) this.httpClient.abort?.();
    await this.httpClient.close();
    await this.clients.close();
  }
}
