import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { PlatformProblems } from '../api/index.js';
import { DispatchStrategy } from '../dispatch/index.js';
import { EventCatalogue } from '../event/index.js';
import { SubscriberRepository, TypeOrmSubscriberRepository } from '../subscriber/index.js';
import { ThornSettings } from './options/settings.js';
import { CapturedDataSources } from '../capture/index.js';

/** Logs how the application was set up: one line, and a warning about what is unsafe in production. */
@Injectable()
export class StartupReport {
  readonly #logger = new Logger('Thorn');

  constructor(
    @Inject(CapturedDataSources) private readonly dataSources: CapturedDataSources,
    @Inject(DispatchStrategy) private readonly strategy: DispatchStrategy,
    @Inject(SubscriberRepository) private readonly subscribers: SubscriberRepository,
    @Inject(EventCatalogue) private readonly catalogue: EventCatalogue,
    @Inject(ThornSettings) private readonly settings: ThornSettings,
    @Optional() @Inject(PlatformProblems) private readonly platform: PlatformProblems | undefined,
  ) {}

  /** Call it once all routes and events are known. */
  log(): void {
    const facts = [
      `strategy ${this.strategy.label?.() ?? this.strategy.constructor.name}`,
      this.#databases(),
      counted(this.catalogue.names().length, 'event'),
      this.#apis(),
    ];
    this.#logger.log(`Started: ${facts.join('; ')}`);
    if (this.#storesPlainSecrets() && process.env['NODE_ENV'] === 'production') {
      this.#logger.warn(
        'Secrets of subscribers are stored unsealed: a copy of the database is enough to sign as this application. Set ' +
          'the option encryption, and seal the stored ones with `npx thorn reseal`.',
      );
    }
  }

  #databases(): string {
    const { all, names } = this.dataSources;
    if (all.length === 0) return 'no data source';
    const shown = all.map(({ options }, index) => `${names[index]} (${options.type})`);
    return `data source${all.length === 1 ? '' : 's'} ${shown.join(', ')}`;
  }

  #apis(): string {
    const paths = this.platform?.apis ?? [];
    const pages = this.platform?.pages ?? [];
    const api = paths.length === 0 ? 'no REST API' : `REST API at ${paths.join(', ')}`;
    return pages.length === 0 ? api : `${api}; page at ${pages.join(', ')}`;
  }

  #storesPlainSecrets(): boolean {
    return (
      this.subscribers instanceof TypeOrmSubscriberRepository &&
      this.settings.options.encryption === undefined
    );
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
