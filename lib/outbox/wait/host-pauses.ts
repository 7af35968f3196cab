import { Logger } from '@nestjs/common';
import { type Clock, errorText } from '../../common/index.js';
import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import { readRows, type SqlTables } from '../../database/sql-client.js';
import { InvalidInputError } from '../../errors/index.js';
import { EVERY_HOST } from './host-queue.js';
import type { HostScheduler } from './host-scheduler.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import { deletePause, insertPause, selectPauses } from '../tables/pauses.js';

/** A host that gets nothing, or `*` for all hosts. Times are milliseconds since the Unix epoch. */
export interface Pause {
  readonly host: string;
  readonly since: number;
}

const HOST = /^(?:\*|[\w.:[\]-]{1,320})$/;

/** Milliseconds between two reads of the pauses. */
const EVERY = 5000;

/** The hosts that the operator has paused: kept in the database, and applied in every process. */
export class HostPauses {
  readonly #logger = new Logger('Thorn');
  readonly #table: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: SqlTables,
    private readonly scheduler: HostScheduler<DeliveryJob>,
    private readonly clock: Clock,
  ) {
    this.#table = database.table(OUTBOX_TABLES.pauses.name);
  }

  /** Applies the pauses from now on. Resolves when they were read for the first time. */
  async start(): Promise<void> {
    await this.#apply();
    this.#timer = setInterval(() => void this.#apply(), EVERY).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async hosts(): Promise<ReadonlySet<string>> {
    return new Set((await this.list()).map(({ host }) => host));
  }

  async list(): Promise<readonly Pause[]> {
    const rows = await readRows(this.database, selectPauses(this.#table));
    return rows.map(({ host, paused_at }) => ({ host, since: Number(paused_at) }));
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
    const { dialect } = this.database;
    await this.database.run(insertPause(dialect, this.#table, host, this.clock.now()));
    await this.#apply();
  }

  /** @returns whether it was paused */
  async remove(host: string): Promise<boolean> {
    // An invalid host cannot be paused, and some databases refuse it as a parameter.
    if (!HOST.test(host)) return false;
    const { affected } = await this.database.run(deletePause(this.#table, host));
    await this.#apply();
    return affected > 0;
  }

  async #apply(): Promise<void> {
    try {
      this.scheduler.pause(await this.hosts());
    } catch (error) {
      // Paused hosts stay paused; the claim loops log more about a database that cannot be reached.
      this.#logger.debug(`Reading the pauses failed: ${errorText(error)}`);
    }
  }
}

/** Another spelling would pause nothing: hosts are compared as the URLs of subscribers have them. */
function isAsInUrls(host: string): boolean {
  return ['http', 'https'].every((scheme) => {
    const url = `${scheme}://${host}/`;
    return URL.canParse(url) && new URL(url).host === host;
  });
}
