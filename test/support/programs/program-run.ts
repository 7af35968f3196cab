import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { seededRandom } from '../seeded-random.js';
import type { OutboxApp, OutboxAppOptions } from '../apps/outbox-app.js';
import { openOutboxApp } from '../apps/outbox-app.js';
import type { CommitLog, LoggedCommit } from '../commits/commit-log.js';
import type { TestDatabase } from '../databases.js';
import { type Arrival, FaultyHost } from './faulty-host.js';
import { expectedMessages } from './expected-messages.js';
import { checkMessages, type MessageFaults } from './message-check.js';
import { PROGRAM_ENTITIES } from './rows.js';
import {
  checkedSubscriber,
  createSubscribers,
  HOLDING,
  HOSTS,
  programOptions,
  SKIPPING,
  type SubscriberPlan,
} from './subscribers.js';

const PATIENCE = 90_000;
const PENDING = 'SELECT id FROM thorn_pending_messages';
const DUE = 'SELECT id FROM thorn_deliveries WHERE due_at IS NOT NULL';

/** What is wrong after a run; all are empty when nothing is. */
export interface RunFaults extends MessageFaults {
  readonly overlaps: readonly string[];
  readonly unverified: readonly string[];
}

/** What a run has come to. */
export interface RunReport {
  readonly faults: RunFaults;
  readonly counts: object;
  readonly commits: readonly LoggedCommit[];
}

/** No fault at all, for `toEqual()`. */
export const FAULTLESS: RunFaults = {
  ...{ lost: [], ghosts: [], overtakes: [], changed: [] },
  ...{ overlaps: [], unverified: [] },
};

export interface ProgramRunOptions {
  readonly place: TestDatabase;
  readonly log: CommitLog;
  readonly seed: number;
  readonly subscribers: Readonly<Record<string, SubscriberPlan>>;
  /** Opens an application. Default: with `outbox()`. */
  readonly open?: typeof openOutboxApp;
}

/** Writes what a run was to a file, for whoever looks into a fault. @returns the name of the file */
export function keepReport(name: string, report: object): string {
  const directory = join(process.cwd(), '.cache', 'test');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `program-${name}.json`);
  writeFileSync(file, JSON.stringify(report, null, 1));
  return file;
}

/** A database whose commits are recorded, and subscribers whose hosts fail and recover. */
export class ProgramRun {
  readonly apps: OutboxApp[] = [];
  /** The URLs of the hosts. */
  readonly urls: string[] = [];
  readonly #hosts: FaultyHost[] = [];

  private constructor(private readonly options: ProgramRunOptions) {}

  /** @param changes options of the first application, which makes the tables */
  static async start(options: ProgramRunOptions, changes: OutboxAppOptions = {}) {
    const run = new ProgramRun(options);
    try {
      await run.#start(changes);
      return run;
    } catch (error) {
      await run.close();
      throw error;
    }
  }

  async #start(changes: OutboxAppOptions): Promise<void> {
    const { place, log, seed, subscribers } = this.options;
    for (let at = 0; at < HOSTS; at++) {
      const host = await FaultyHost.start();
      this.#hosts.push(host);
      this.urls.push(host.url);
    }
    const random = seededRandom(seed);
    for (const host of this.#hosts) {
      host.rejects = ({ path }, isFirst) =>
        (path === `/${SKIPPING}` || (path === `/${HOLDING}` && isFirst)) && random() < 0.05;
    }
    const shared = await createSubscribers(subscribers, this.urls);
    const logged = { ...place.options, ...log.options } as TestDatabase['options'];
    const app = await this.open({ ...changes, synchronize: true, subscribers: shared }, logged);
    const tables = app.dataSource.entityMetadatas
      .filter(({ target }) => PROGRAM_ENTITIES.some((entity) => entity === target))
      .map(({ tableName, columns }): [string, string[]] => [
        tableName,
        columns.map(({ databaseName }) => databaseName),
      ]);
    await log.begin(app.dataSource, new Map(tables));
  }

  /** Opens another application on the same database, as another process would. */
  async open(
    changes: OutboxAppOptions = {},
    options = this.options.place.options,
  ): Promise<OutboxApp> {
    const { open = openOutboxApp } = this.options;
    const [first] = this.apps;
    const app = await open(
      { options },
      {
        ...{ ...programOptions(), synchronize: false },
        ...(first && { subscribers: first.subscribers }),
        ...changes,
      },
    );
    this.apps.push(app);
    return app;
  }

  /** How many requests have arrived. */
  get requests(): number {
    return this.#hosts.reduce((sum, { arrivals }) => sum + arrivals.length, 0);
  }

  /** Hosts fail and recover until the work is done, and are well from then on. */
  async whileHostsFail(work: () => Promise<void>): Promise<void> {
    const over = new AbortController();
    const failing = this.#hosts
      .slice(0, -1)
      .map((host, at) => host.failInTurns(seededRandom(this.options.seed * 31 + at), over.signal));
    await work().finally(() => over.abort());
    await Promise.all(failing);
  }

  /** Resolves when nothing is under way; held keys are let go until then. */
  async settle(): Promise<void> {
    const app = this.apps[0]!;
    await vi.waitFor(
      async () => {
        const held = await app.deliveries.list({ status: 'failed', limit: 200 }, 'any');
        for (const { id, holding } of held.items) {
          if (holding) await app.deliveries.retry(id, 'any');
        }
        // On SQLite this moves what is staged to the table of messages.
        await app.deliveries.stats();
        for (const sql of [PENDING, DUE]) {
          const rows = await app.rows(sql);
          if (rows.length > 0) throw new Error(`under way: ${rows.length} of ${sql}`);
        }
      },
      { timeout: PATIENCE, interval: 50 },
    );
  }

  /** Resolves when each message has all of its deliveries: what is left to do is known to the database. */
  async fannedOut(): Promise<void> {
    await this.apps[0]!.until(PENDING, (rows) => rows.length === 0);
  }

  /** Compares what the receivers saw with what the database committed. */
  async check(): Promise<RunReport> {
    const { log, subscribers } = this.options;
    const commits = await log.read(this.apps[0]!.dataSource);
    const expected = expectedMessages(commits);
    const arrivals = this.#hosts.flatMap((host) => host.arrivals);
    const found = Object.entries(subscribers).map(([name, plan]) => {
      const own = arrivals.filter(({ path }) => path === `/${name}`);
      return checkMessages(checkedSubscriber(name, plan), expected, own, log.ordersRowsAlone);
    });
    const all = (kind: keyof MessageFaults) => found.flatMap((faults) => faults[kind]);
    return {
      faults: {
        lost: all('lost'),
        ghosts: all('ghosts'),
        overtakes: all('overtakes'),
        changed: [...all('changed'), ...findSharedNumbers(arrivals)],
        overlaps: this.#hosts
          .flatMap(({ overlaps }) => overlaps)
          .filter((pair) => subscribers[/^\/(\w+)/.exec(pair)![1]!]!.order !== undefined),
        unverified: this.#hosts.flatMap(({ unverified }) => unverified),
      },
      counts: { commits: commits.length, messages: expected.length, requests: arrivals.length },
      commits,
    };
  }

  async close(): Promise<void> {
    const [first] = this.apps;
    if (first?.dataSource.isInitialized) await this.options.log.end(first.dataSource);
    for (const app of this.apps) await app.close();
    for (const host of this.#hosts) await host.stop();
  }
}

/** A number of a key is of one message, whichever subscriber gets it. */
function findSharedNumbers(arrivals: readonly Arrival[]): string[] {
  const ids = new Map<string, string>();
  return arrivals.flatMap(({ key, sequence, id }) => {
    if (key === null) return [];
    const name = `${key} ${sequence}`;
    const known = ids.get(name) ?? id;
    ids.set(name, known);
    return known === id ? [] : [`${name} is ${known} and ${id}`];
  });
}
