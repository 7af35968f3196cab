import { Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { DispatchStrategy, MessagePipeline } from '../dispatch/index.js';
import { OutboxStrategy } from '../outbox/index.js';
import { checkScopes } from './options/extras-check.js';

/**
 * Drains while the data sources are still open, whichever of the two modules the application imports first.
 *
 * Nest shuts global modules down last, those imported later before those imported earlier; TypeOrmModule's and ours are
 * both global. This one is not, and so its turn comes before either.
 *
 * Its hooks run whatever scope the parts of ThornModule have: it injects none of them.
 */
@Module({})
export class ThornDrainModule implements OnModuleInit, OnApplicationShutdown {
  #isRefused = false;

  constructor(private readonly moduleRef: ModuleRef) {}

  onModuleInit(): void {
    this.#isRefused = true;
    checkScopes(this.moduleRef);
    this.#isRefused = false;
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.#isRefused) return;
    await this.moduleRef.get(MessagePipeline, { strict: false }).idle();
    const strategy = this.moduleRef.get(DispatchStrategy, { strict: false });
    // Others are not told twice.
    if (strategy instanceof OutboxStrategy) await strategy.onApplicationShutdown();
  }
}
