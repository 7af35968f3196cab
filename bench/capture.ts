import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { createClient } from '../lib/typeorm/sources/typeorm-sources.js';
import { EntityCapture } from '../lib/typeorm/hooks/entity-capture.js';
import { WebhookEvent } from '../lib/capture/index.js';
import { SystemClock } from '../lib/common/time.js';
import { DisabledStrategy, MessagePipeline } from '../lib/dispatch/index.js';
import { Codecs, MessageFactory } from '../lib/message/index.js';
import { startPostgres } from '../test/services/postgres.js';
import { measureCaller } from './capture/caller.js';
import { measureCriteria } from './capture/criteria.js';
import { type Candidate, median, rates, ratio, reportValue } from './harness.js';
import { partsOf } from './parts.js';

const SCHEDULE = { warmUp: 1500, turn: 400, rounds: 15, inFlight: 1 };
const GOAL = 1.2;

/** What an application has: some text, some numbers, a date. */
abstract class Content {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @Column({ type: 'text' }) body!: string;
  @Column({ default: 'DRAFT' }) state!: string;
  @Column({ type: 'int' }) views!: number;
  @Column({ type: 'varchar', nullable: true }) summary!: string | null;
}

@Entity()
class Plain extends Content {}

const payload = ({ id, title, state, views }: Content) => ({ id, title, state, views });

@Entity()
@WebhookEvent<Created>('article.created', { on: 'create', payload, ref: '/articles/{id}' })
class Created extends Content {}

@Entity()
@WebhookEvent<Changed>('article.changed', { on: 'change', payload, ref: '/articles/{id}' })
class Changed extends Content {}

@Entity()
@WebhookEvent<Tracked>('article.changed', { on: 'change', payload })
@WebhookEvent<Tracked>('article.removed', { on: 'delete', payload })
class Tracked extends Content {}

/** Where the parts run. */
interface Databases {
  readonly postgres: DataSourceOptions;
  sqlite(name: string): Extract<DataSourceOptions, { type: 'better-sqlite3' }>;
}

export async function run(wanted: readonly string[]): Promise<void> {
  const parts = partsOf<Databases>('capture', { save, criteria, caller }, wanted);
  const directory = await mkdtemp(join(tmpdir(), 'thorn-bench-'));
  const postgres = await startPostgres();
  try {
    for (const part of parts) {
      await part.run({
        postgres: { type: 'postgres', url: postgres.url },
        sqlite: (name) => ({ type: 'better-sqlite3', database: join(directory, name) }),
      });
    }
  } finally {
    await postgres.stop();
    await rm(directory, { recursive: true });
  }
}

/**
 * What a save of an entity with one event costs in times of the same save without: messages are made from the row and
 * then discarded. Of a new row and of a changed one, the dearer counts. SQLite is a file as TypeORM opens it; with
 * write-ahead logging, where no commit waits for the disk, the same microseconds are a larger share, told on the side.
 */
async function save({ postgres, sqlite }: Databases): Promise<void> {
  reportValue('capture.postgres', await cost('PostgreSQL', postgres), 'times', GOAL);
  reportValue('capture.sqlite', await cost('SQLite', sqlite('default.sqlite')), 'times', GOAL);
  await cost('SQLite, WAL', { ...sqlite('wal.sqlite'), enableWAL: true });
}

/** What writes by criteria cost. */
async function criteria({ postgres }: Databases): Promise<void> {
  await measureCriteria({
    options: postgres,
    plain: Plain,
    captured: Tracked,
    open,
    rowOf: (type) => content(type as new () => Content),
  });
}

/** What the caller of a write pays, with the outbox. */
async function caller({ postgres, sqlite }: Databases): Promise<void> {
  await measureCaller('postgres', postgres, postgres);
  // The outbox turns write-ahead logging on: by hand it is on as well.
  const byHand = { ...sqlite('by-hand.sqlite'), enableWAL: true };
  await measureCaller('sqlite', sqlite('caller.sqlite'), byHand);
}

/** The dearer ratio. */
async function cost(title: string, options: DataSourceOptions): Promise<number> {
  const without = await open(options, false);
  const captured = await open(options, true);
  try {
    const create = (name: string, dataSource: DataSource, type: new () => Content) => ({
      name,
      once: creations(dataSource, type),
    });
    const change = async (name: string, dataSource: DataSource, type: new () => Content) => ({
      name,
      once: await changes(dataSource, type),
    });
    const found = await rates(
      [
        create('create without', without, Plain),
        create('create', captured, Created),
        await change('change without', without, Plain),
        await change('change', captured, Changed),
      ],
      SCHEDULE,
    );
    return Math.max(
      ...['create', 'change'].map((name) => {
        const [plain, slower] = [found.get(`${name} without`)!, found.get(name)!];
        const times = ratio(plain, slower);
        console.error(
          `${title}: ${name} ${microseconds(plain)} µs without, ${microseconds(slower)} µs with the event, ${times.toFixed(2)} times`,
        );
        return times;
      }),
    );
  } finally {
    await Promise.all([without.destroy(), captured.destroy()]);
  }
}

function microseconds(rates: readonly number[]): number {
  return Math.round(1e6 / median(rates));
}

async function open(options: DataSourceOptions, captured: boolean): Promise<DataSource> {
  const dataSource = new DataSource({
    ...options,
    entities: [Plain, Created, Changed, Tracked],
    synchronize: true,
  });
  await dataSource.initialize();
  if (captured) {
    const clock = new SystemClock();
    new EntityCapture(await createClient(dataSource), {
      messageFactory: new MessageFactory(clock, new Codecs()),
      pipeline: new MessagePipeline(new DisabledStrategy(), clock),
    }).attach();
  }
  return dataSource;
}

function content(type: new () => Content): Content {
  return Object.assign(new type(), {
    title: 'A title of a usual length',
    body: 'Some text. '.repeat(50),
    views: 0,
    summary: null,
  });
}

function creations(dataSource: DataSource, type: new () => Content): Candidate['once'] {
  const repository = dataSource.getRepository<Content>(type);
  return () => repository.save(content(type));
}

/** A row is loaded once and then saved with another value each time. */
async function changes(
  dataSource: DataSource,
  type: new () => Content,
): Promise<Candidate['once']> {
  const repository = dataSource.getRepository<Content>(type);
  const row = await repository.save(content(type));
  return () => {
    row.views += 1;
    return repository.save(row);
  };
}
