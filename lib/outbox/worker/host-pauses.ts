import type { DataSource, Repository } from 'typeorm';
import type { Clock } from '../../common/index.js';
import { escapePath } from '../../common/typeorm-compat.js';
import { InvalidInputError, ThornConfigurationError } from '../../errors/index.js';
import type { OutboxDatabase } from '../database/outbox-database.js';
import { ThornPause } from '../entities/pause.entity.js';
import { EVERY_HOST } from '../concurrency/host-scheduler.js';

/** A host that gets nothing, or `*` for all hosts. Times are milliseconds since the Unix epoch. */
export interface Pause {
  readonly host: string;
  readonly since: number;
}

const HOST = /^(?:\*|[\w.:[\]-]{1,320})$/;

/** The hosts that the operator has paused: kept in the database, for every process. */
export class HostPauses {
  constructor(
    private readonly dataSource: DataSource,
    private readonly database: OutboxDatabase,
    private readonly clock: Clock,
  ) {}

  /** True when the data source has the table. */
  get isThere(): boolean {
    return this.dataSource.hasMetadata(ThornPause);
  }

  /** Without a query where there is no table. */
  async hosts(): Promise<ReadonlySet<string>> {
    if (!this.isThere) return new Set();
    const { tablePath } = this.dataSource.getMetadata(ThornPause);
    const sql = `SELECT p.host FROM ${escapePath(this.dataSource, tablePath)} p`;
    const { rows } = await this.database.run({ sql, parameters: [] });
    return new Set(rows.map(({ host }) => host as string));
  }

  async list(): Promise<readonly Pause[]> {
    const rows = await this.#rows.find({ order: { host: 'ASC' } });
    return rows.map(({ host, pausedAt }) => ({ host, since: pausedAt }));
  }

  /** @throws {@link InvalidInputError} for `host` */
  async add(host: string): Promise<void> {
    if (
      typeof host !== 'string' ||
      !HOST.test(host) ||
      !(host === EVERY_HOST || isAsInUrls(host))
    ) {
      throw new InvalidInputError(
        'host',
        'must be a host as URLs have it, in lower case and with its port unless that is 443 or 80, or "*"',
      );
    }
    // In one statement: another process may pause the host at the same time.
    const insert = this.#rows.createQueryBuilder().insert().orIgnore().updateEntity(false);
    await insert.values({ host, pausedAt: this.clock.now() }).callListeners(false).execute();
  }

  /** @returns whether it was paused */
  async remove(host: string): Promise<boolean> {
    // An invalid host cannot be paused, and some databases refuse it as a parameter.
    if (!HOST.test(host)) return false;
    const { affected } = await this.#rows.delete({ host });
    return (affected ?? 0) > 0;
  }

  get #rows(): Repository<ThornPause> {
    if (this.isThere) return this.dataSource.getRepository(ThornPause);
    throw new ThornConfigurationError(
      'THORN_ENTITIES_MISSING',
      'Pausing needs the entity ThornPause: add thornEntities to the entities of the data source',
    );
  }
}

/** Another spelling would pause nothing: hosts are compared as the URLs of subscribers have them. */
function isAsInUrls(host: string): boolean {
  return ['http', 'https'].every((scheme) => {
    const url = `${scheme}://${host}/`;
    return URL.canParse(url) && new URL(url).host === host;
  });
}
