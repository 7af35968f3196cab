import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { DispatchStrategy, MessagePipeline } from '../dispatch/index.js';
import { OutboxStrategy } from '../outbox/index.js';

/**
 * Drains while the data sources are still open, whichever of the two modules the application imports first.
 *
 * Nest shuts global modules down last, those imported later before those imported earlier; TypeOrmModule's and ours are
 * both global. This one is not, and so its turn comes before either.
 */
@Module({})
export class ThornDrainModule implements OnApplicationShutdown {
  constructor(@Inject(ModuleRef) private readonly moduleRef: ModuleRef) {}

  async onApplicationShutdown(): Promise<void> {
    await this.moduleRef.get(MessagePipeline, { strict: false }).idle();
    const strategy = this.moduleRef.get(DispatchStrategy, { strict: false });
    // Others are not told twice.
    if (strategy instanceof OutboxStrategy) await strategy.onApplicationShutdown();
  }
}
