import { Inject, Injectable, Optional } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService } from '@nestjs/core';
import {
  type ApplicationReport,
  controllerMark,
  RegisteredPaths,
  type SetupReport,
  type SetupWarning,
} from '../api/index.js';
import { DispatchStrategy } from '../dispatch/index.js';
import { EventCatalogue } from '../event/index.js';
import { OutboxStrategy, SqlClients } from '../outbox/index.js';
import {
  InMemorySubscriberRepository,
  SubscriberRepository,
  DatabaseSubscriberRepository,
} from '../subscriber/index.js';
import { EntitySources } from '../capture/entity-sources.js';
import { ThornSettings } from './options/settings.js';
import { TriggersCheck } from './triggers-check.js';

/** Inspects how the application is set up, and finds settings that do harm in production. */
@Injectable()
export class SetupInspection implements ApplicationReport {
  constructor(
    private readonly sources: EntitySources,
    private readonly clients: SqlClients,
    private readonly strategy: DispatchStrategy,
    private readonly subscribers: SubscriberRepository,
    private readonly catalogue: EventCatalogue,
    private readonly settings: ThornSettings,
    private readonly discovery: DiscoveryService,
    private readonly triggers: TriggersCheck,
    @Optional() @Inject(RegisteredPaths) private readonly paths: RegisteredPaths | undefined,
  ) {}

  async read(): Promise<SetupReport> {
    const report = this.ofProcess();
    const outdated = await this.triggers.faults();
    const warnings = outdated.map(
      ({ message: text }) => ({ code: 'tables-outdated', text }) as const,
    );
    return { ...report, warnings: [...warnings, ...report.warnings] };
  }

  /** Reports the set-up without asking the database. Call it once all routes and events are known. */
  ofProcess(): SetupReport {
    return {
      strategy: this.strategy.label?.() ?? this.strategy.constructor.name,
      dataSources: this.#databases(),
      events: this.catalogue.names().length,
      apis: this.paths?.apis ?? [],
      pages: this.paths?.pages ?? [],
      warnings: this.#warnings(),
    };
  }

  #databases(): SetupReport['dataSources'] {
    const { databases } = this.sources;
    return databases.length > 0
      ? databases.map(({ name, type }) => ({ name, type }))
      : this.clients.all.map(({ name, dialect }) => ({ name, type: dialect.name }));
  }

  #warnings(): readonly SetupWarning[] {
    const sharing = this.#sharingPaths();
    const warnings: readonly (SetupWarning | false)[] = [
      sharing.length > 0 && {
        code: 'shared-path',
        text:
          `${sharing.join(', ')} has routes below the path of the REST API. Of two routes that match a request, the one ` +
          'that was registered first answers. Give the controller or the API another path.',
      },
      this.#storesPlainSecrets() && {
        code: 'secrets-unsealed',
        text:
          'Secrets of subscribers are stored unsealed: a copy of the database is enough to sign as this application. Set ' +
          'the option encryption, and seal the stored ones with reseal() of Maintenance.',
      },
      this.subscribers instanceof InMemorySubscriberRepository && {
        code: 'in-memory-store',
        text:
          'Subscribers are kept in memory: a restart forgets them. Name a TypeORM data source in the option dataSources, ' +
          'or give the option database.',
      },
      this.#synchronized().length > 0 && {
        code: 'synchronize',
        text:
          `The data source ${this.#synchronized().join(', ')} has synchronize: true: TypeORM changes tables at each ` +
          'start, and may drop columns with their data. Use migrations, with ...thornMigrations among them.',
      },
      // A process that has a listener of its own may call app.close() there.
      process.listenerCount('SIGTERM') === 0 && {
        code: 'no-shutdown-hooks',
        text:
          'Shutdown hooks are off: when the process is stopped, deliveries that are under way break off. Call ' +
          'app.enableShutdownHooks() before app.listen(), or right after NestFactory.createApplicationContext().',
      },
      this.strategy instanceof OutboxStrategy &&
        !this.#hasHealthCheck() && {
          code: 'no-health-check',
          text:
            'No health check looks at webhooks, so nothing notices that they wait. Use ThornHealthIndicator of ' +
            'nestjs-thorn/terminus.',
        },
    ];
    return warnings.filter((warning) => warning !== false);
  }

  #storesPlainSecrets(): boolean {
    return (
      this.subscribers instanceof DatabaseSubscriberRepository &&
      this.settings.options.encryption === undefined
    );
  }

  #synchronized(): readonly string[] {
    return this.sources.databases
      .filter(({ client }) => client.synchronizes)
      .map(({ name }) => name);
  }

  /** The application's controllers with routes at or below a path of this library. */
  #sharingPaths(): readonly string[] {
    const controllers = this.discovery
      .getControllers()
      .flatMap(({ metatype }) => (typeof metatype === 'function' ? [metatype] : []));
    const ours = controllers.flatMap((one) => controllerMark(one)?.api ?? []);
    return controllers
      .filter((one) => controllerMark(one) === undefined)
      .filter((one) => routePaths(one).some((path) => ours.some((api) => isBelow(path, api))))
      .map(({ name }) => name);
  }

  /** By name: the entry needs a package that not every application has. */
  #hasHealthCheck(): boolean {
    return this.discovery
      .getProviders()
      .some(({ metatype }) => metatype?.name === 'ThornHealthIndicator');
  }
}

function routePaths(controller: Function): readonly string[] {
  const { prototype } = controller as { readonly prototype: object };
  const own = pathsOf(controller);
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    if (typeof handler !== 'function') return [];
    return pathsOf(handler).flatMap((path) => own.map((start) => `${start}/${path}`));
  });
}

function pathsOf(target: object): readonly string[] {
  const paths = Reflect.getMetadata(PATH_METADATA, target) as
    string | readonly string[] | undefined;
  return paths === undefined ? [] : [paths].flat();
}

function isBelow(path: string, api: string): boolean {
  const segments = (text: string) => text.split('/').filter((segment) => segment !== '');
  const start = segments(path).slice(0, segments(api).length);
  return start.join('/') === segments(api).join('/');
}
