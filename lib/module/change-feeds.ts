import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { DispatchStrategy } from '../dispatch/index.js';
import { EntityCaptures, type ReportedChanges } from '../capture/entity-sources.js';
import { MODULE_CHECKS, ThornSettings } from './options/settings.js';

const POLL_INTERVAL = 1000;

/** Reads the change feeds of the captured data sources, where the option `changeFeed` asks for it. */
@Injectable()
export class ChangeFeeds implements OnApplicationBootstrap, OnModuleDestroy {
  #loops: readonly ReportedChanges[] = [];

  constructor(
    @Inject(EntityCaptures) private readonly captures: EntityCaptures,
    @Inject(DispatchStrategy) private readonly strategy: DispatchStrategy,
    @Inject(ThornSettings) private readonly settings: ThornSettings,
  ) {}

  /** @throws {@link ThornConfigurationError} when there is no PostgreSQL, or the migration has not run */
  async onApplicationBootstrap(): Promise<void> {
    const { changeFeed = false } = this.settings.options;
    if (changeFeed === false) return;
    const { pollInterval } = changeFeed === true ? { pollInterval: POLL_INTERVAL } : changeFeed;
    const loops = await this.captures.reportedChanges(pollInterval);
    MODULE_CHECKS.assert(
      'changeFeed',
      loops.length > 0,
      'needs a captured data source on PostgreSQL. Leave it out, and send with dispatcher.sendFor()',
    );
    if (this.strategy.isWorker?.() === false) return;
    this.#loops = loops;
    for (const loop of this.#loops) loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}
