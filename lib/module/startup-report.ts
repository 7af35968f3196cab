import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { SetupReport, SetupWarning } from '../api/index.js';
import { errorText } from '../common/log.js';
import type { SqlClient } from '../database/sql-client.js';
import { SqlClients } from '../outbox/index.js';
import { EntitySources } from '../capture/entity-sources.js';
import { WebhookFormats } from '../message/index.js';
import { DatabaseSubscriberRepository, SubscriberRepository } from '../subscriber/index.js';
import { ThornSettings } from './options/settings.js';
import { SetupInspection } from './setup-inspection.js';

/** Milliseconds until the check for shutdown hooks. */
const HOOKS_WITHIN = 1000;
/** Ids of subscribers in one line of the log. */
const MOST_NAMED = 10;

/** Logs how the application was set up: one line, and warnings about settings that are unsafe in production. */
@Injectable()
export class StartupReport implements OnModuleDestroy {
  readonly #logger = new Logger('Thorn');
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly inspection: SetupInspection,
    private readonly settings: ThornSettings,
    private readonly sources: EntitySources,
    private readonly clients: SqlClients,
    private readonly subscribers: SubscriberRepository,
    private readonly formats: WebhookFormats,
  ) {}

  /** Call it once all routes and events are known. */
  log(): void {
    const report = this.inspection.ofProcess();
    const facts = [
      `strategy ${report.strategy}`,
      this.#databases(),
      counted(report.events, 'event'),
      paths(report),
    ];
    this.#logger.log(`Started: ${facts.join('; ')}`);
    const environment = process.env['NODE_ENV'];
    if (environment === 'production') {
      const unsealed = report.warnings.find(({ code }) => code === 'secrets-unsealed');
      if (unsealed !== undefined) this.#logger.warn(unsealed.text);
      return;
    }
    // Tests start an application many times, and none of them goes to production.
    if (environment === 'test' || this.settings.options.selfCheck === false) return;
    this.#warn(report.warnings.filter((warning) => !isOfHooks(warning)));
    // NestFactory.createApplicationContext() answers after this: nobody can turn the hooks on before.
    this.#timer = setTimeout(
      () => this.#warn(this.inspection.ofProcess().warnings.filter(isOfHooks)),
      HOOKS_WITHIN,
    ).unref();
  }

  /** Names stored subscribers whose bodies the option `shapes` no longer allows. A database that does not answer ends no start. */
  async logLostShapes(): Promise<void> {
    try {
      await this.#findLostShapes();
    } catch (error) {
      this.#logger.warn(
        `Could not look for subscribers whose body the option shapes no longer allows: ${errorText(error)}`,
      );
    }
  }

  async #findLostShapes(): Promise<void> {
    const { subscribers, formats } = this;
    if (!(subscribers instanceof DatabaseSubscriberRepository)) return;
    const { url, templates } = formats.shapes;
    for (const [shape, option, isAllowed] of [
      ['thin', 'shapes.url', url !== undefined],
      ['template', 'shapes.templates', templates],
    ] as const) {
      const ids = isAllowed ? [] : await subscribers.findShaped(shape, MOST_NAMED + 1);
      if (ids.length === 0) continue;
      const more = ids.length > MOST_NAMED ? ' and more' : '';
      this.#logger.warn(
        `Stored subscribers have ${shape}, which needs the option ${option}: ` +
          `${ids.slice(0, MOST_NAMED).join(', ')}${more}. Set ${option}, or take ${shape} from these subscribers.`,
      );
    }
  }

  onModuleDestroy(): void {
    clearTimeout(this.#timer);
  }

  #databases(): string {
    const { databases } = this.sources;
    const all =
      databases.length > 0
        ? databases.map(({ name, type, client }) =>
            described(
              client,
              `TypeORM data source ${name}`,
              type === 'better-sqlite3' ? 'sqlite' : type,
            ),
          )
        : this.clients.all.map((client) => described(client, client.name, client.dialect.name));
    return all.join(', ') || 'no database';
  }

  #warn(warnings: readonly SetupWarning[]): void {
    for (const { text } of warnings) this.#logger.warn(`Before production: ${text}`);
  }
}

function isOfHooks({ code }: SetupWarning): boolean {
  return code === 'no-shutdown-hooks';
}

/** For example `Prisma (postgres by pg, 5 connections of its own, commits looked up)`. */
function described(client: SqlClient<never>, name: string, system: string): string {
  const { ownConnections: own, commits } = client;
  const driver = client.driver()?.kind;
  const connections =
    own === undefined
      ? "the application's connections"
      : `${counted(own, 'connection')} of its own`;
  return `${name} (${system}${driver ? ` by ${driver}` : ''}, ${connections}, commits ${commits})`;
}

function paths({ apis, pages }: SetupReport): string {
  const api = apis.length === 0 ? 'no REST API' : `REST API at ${apis.join(', ')}`;
  return pages.length === 0 ? api : `${api}; page at ${pages.join(', ')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
