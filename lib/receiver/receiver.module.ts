import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ConfigurableModuleClass } from './receiver.module-definition.js';
import type { ThornReceiverModuleExtras, ThornReceiverModuleOptions } from './receiver-options.js';

/**
 * Receives webhooks of any sender: `@WebhookReceiver(name)` verifies them, and each message is handled once. Needs an
 * application that is created with `rawBody: true`, and no database.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [
 *     ThornReceiverModule.forRoot({
 *       receivers: { store: { scheme: 'standard', secrets: [process.env.STORE_WEBHOOK_SECRET] } },
 *     }),
 *   ],
 * })
 * export class AppModule {}
 *
 * const app = await NestFactory.create(AppModule, { rawBody: true });
 * ```
 */
@Module({ imports: [DiscoveryModule] })
export class ThornReceiverModule extends ConfigurableModuleClass {
  /**
   * Configures the receivers.
   *
   * @throws {@link ThornConfigurationError} at start-up, naming the option and its fix
   */
  static override forRoot(
    options: ThornReceiverModuleOptions & ThornReceiverModuleExtras,
  ): DynamicModule {
    return super.forRoot(options);
  }
}
