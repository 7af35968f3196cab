import { Inject, Injectable, Optional, type OnApplicationBootstrap } from '@nestjs/common';
import { ApiSettings } from '../api/index.js';
import { DispatchStrategy } from '../dispatch/index.js';
import { ThornIdempotencyKey } from '../idempotency/index.js';
import { checkSchema } from '../migrations/index.js';
import { outboxEntities, OutboxStrategy, ThornPause } from '../outbox/index.js';
import {
  SubscriberRepository,
  ThornSubscriber,
  TypeOrmSubscriberRepository,
} from '../subscriber/index.js';
import { CapturedDataSources } from './providers/data-source.providers.js';

/** Ends the start of an application whose database lacks tables or columns that it is about to use. */
@Injectable()
export class SchemaCheck implements OnApplicationBootstrap {
  constructor(
    @Inject(CapturedDataSources) private readonly dataSources: CapturedDataSources,
    @Inject(DispatchStrategy) private readonly strategy: DispatchStrategy,
    @Inject(SubscriberRepository) private readonly subscribers: SubscriberRepository,
    @Optional() @Inject(ApiSettings) private readonly api: ApiSettings | undefined,
  ) {}

  /** By now an application has run its own migrations, if it does so at start-up. */
  async onApplicationBootstrap(): Promise<void> {
    const isDurable = this.strategy instanceof OutboxStrategy;
    const keepsSubscribers = this.subscribers instanceof TypeOrmSubscriberRepository;
    for (const [index, dataSource] of this.dataSources.all.entries()) {
      await checkSchema(dataSource, this.dataSources.names[index]!, [
        ...(isDurable ? outboxEntities : []),
        ...(index === 0 && isDurable ? [ThornPause] : []),
        ...(index === 0 && keepsSubscribers ? [ThornSubscriber] : []),
        ...(index === 0 && this.api !== undefined ? [ThornIdempotencyKey] : []),
      ]);
    }
  }
}
