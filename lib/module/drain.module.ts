import { Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { DispatchStrategy, MessagePipeline } from '../dispatch/index.js';
import { OutboxStrategy } from '../outbox/index.js';
import { checkScopes } from './options/extras-check.js';

/**
 * Drains while the data sources are still open, whichever of the two modules the application imports first.
 *
 * Nest shuts global modules down last, and a module that is imported later before a module that is imported earlier.
 * TypeOrmModule's core module and ThornModule are both global. This module is not, so Nest shuts it down before both.
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
    // Nest calls the hook of other strategies itself.
    if (strategy instanceof OutboxStrategy) await strategy.onApplicationShutdown();
  }
}
