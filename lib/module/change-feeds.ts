import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { ChangeFeed, ChangeTable, FeedLoop } from '../capture/index.js';
import { DispatchStrategy } from '../dispatch/index.js';
import { MODULE_CHECKS, ThornSettings } from './options/settings.js';
import { EntityCaptures } from './providers/capture.providers.js';

const POLL_INTERVAL = 1000;

/** Reads the change feeds of the captured data sources, where the option `changeFeed` asks for it. */
@Injectable()
export class ChangeFeeds implements OnApplicationBootstrap, OnModuleDestroy {
  #loops: readonly FeedLoop[] = [];

  constructor(
    @Inject(EntityCaptures) private readonly captures: EntityCaptures,
    @Inject(DispatchStrategy) private readonly strategy: DispatchStrategy,
    @Inject(ThornSettings) private readonly settings: ThornSettings,
  ) {}

  /** @throws {@link ThornConfigurationError} when there is no PostgreSQL, or the migration has not run */
  async onApplicationBootstrap(): Promise<void> {
    const { changeFeed = false } = this.settings.options;
    if (changeFeed === false) return;
    const captures = this.captures.all.filter(
      ({ dataSource }) => dataSource.options.type === 'postgres',
    );
    MODULE_CHECKS.assert(
      'changeFeed',
      captures.length > 0,
      'needs a captured data source on PostgreSQL. Leave it out, and send with dispatcher.sendFor()',
    );
    const feeds = captures.map((capture) => ({
      capture,
      table: new ChangeTable(capture.dataSource),
    }));
    for (const { table } of feeds) await table.check();
    if (this.strategy.isWorker?.() === false) return;
    const { pollInterval } = changeFeed === true ? { pollInterval: POLL_INTERVAL } : changeFeed;
    this.#loops = feeds.map(
      ({ capture, table }) => new FeedLoop(new ChangeFeed(capture, table), pollInterval),
    );
    for (const loop of this.#loops) loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}
