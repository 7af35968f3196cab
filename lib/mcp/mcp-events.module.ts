import { ConfigurableModuleBuilder, type DynamicModule, Module } from '@nestjs/common';
import { Clock } from '../common/index.js';
import { WebhookHttpClient } from '../delivery/index.js';
import { EventHistory } from '../dispatch/index.js';
import { EventCatalogue } from '../event/index.js';
import { WebhookFormats } from '../message/index.js';
import { WebhookSigner } from '../signing/index.js';
import { SubscriberRepository, Subscribers } from '../subscriber/index.js';
import { Callback } from './callback.js';
import { type McpEventsOptions, mcpSettings } from './mcp-events-options.js';
import { McpEvents } from './mcp-events.js';
import { MCP_FORMAT, McpFormat } from './mcp-format.js';
import { McpSubscriptions } from './mcp-subscriptions.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<McpEventsOptions>({ moduleName: 'McpEvents' })
    .setClassMethodName('forRoot')
    .build();

/**
 * Provides {@link McpEvents}. Needs `ThornModule`, with `global` as it is by default; every process that delivers
 * messages imports both.
 *
 * @example
 * ```ts
 * @Module({ imports: [ThornModule.forRoot(), McpEventsModule.forRoot()] })
 * export class AppModule {}
 * ```
 */
@Module({
  providers: [
    {
      provide: McpEvents,
      inject: [
        ...[EventCatalogue, EventHistory, Subscribers, SubscriberRepository, WebhookFormats],
        ...[WebhookHttpClient, WebhookSigner, Clock, MODULE_OPTIONS_TOKEN],
      ],
      useFactory: (
        catalogue: EventCatalogue,
        history: EventHistory,
        subscribers: Subscribers,
        repository: SubscriberRepository,
        formats: WebhookFormats,
        httpClient: WebhookHttpClient,
        signer: WebhookSigner,
        clock: Clock,
        options: McpEventsOptions,
      ) => {
        const settings = mcpSettings(options);
        formats.add(MCP_FORMAT, new McpFormat());
        const subscriptions = new McpSubscriptions(
          subscribers,
          repository,
          new Callback(httpClient, signer, clock),
          clock,
          settings.maxSubscriptions,
        );
        return new McpEvents(catalogue, subscriptions, history, clock, settings);
      },
    },
  ],
  exports: [McpEvents],
})
export class McpEventsModule extends ConfigurableModuleClass {
  /** @throws {@link ThornConfigurationError} naming an option that makes no sense */
  static override forRoot(options: McpEventsOptions = {}): DynamicModule {
    mcpSettings(options);
    return super.forRoot(options);
  }
}
