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
import { EntityCapture, WebhookEvent } from '../lib/capture/index.js';
import { SystemClock } from '../lib/common/clock.js';
import { DisabledStrategy, MessagePipeline } from '../lib/dispatch/index.js';
import { Codecs, MessageFactory } from '../lib/message/index.js';
import { startPostgres } from '../test/services/postgres.js';
import { type Candidate, median, rates, ratio, reportValue } from './harness.js';

const SCHEDULE = { warmUp: 2000, turn: 500, rounds: 21, inFlight: 1 };
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

@Entity()
@WebhookEvent<Announced>('announced.changed', {
  on: 'change',
  payload: ({ id, title, state, views }) => ({ id, title, state, views }),
  ref: '/announced/{id}',
})
class Announced extends Content {}

/**
 * What a save of an entity with one event costs in times of the same save without: the same application, the same
 * table, with a payload that needs the row, messages made and discarded.
 */
export async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'thorn-bench-'));
  const postgres = await startPostgres();
  try {
    await measure('capture.postgres', { type: 'postgres', url: postgres.url });
    await measure('capture.sqlite', {
      type: 'better-sqlite3',
      database: join(directory, 'bench.sqlite'),
      enableWAL: true,
    });
  } finally {
    await postgres.stop();
    await rm(directory, { recursive: true });
  }
}

async function measure(figure: string, options: DataSourceOptions): Promise<void> {
  const without = await open(options, false);
  const withEvent = await open(options, true);
  try {
    const found = await rates(
      [await saves('without', without, Plain), await saves('with', withEvent, Announced)],
      SCHEDULE,
    );
    const [slow, fast] = [found.get('with')!, found.get('without')!];
    console.error(
      `${figure}: ${Math.round(median(fast))} saves/s without, ${Math.round(median(slow))} with`,
    );
    reportValue(figure, ratio(fast, slow), 'times', GOAL);
  } finally {
    await Promise.all([without.destroy(), withEvent.destroy()]);
  }
}

async function open(options: DataSourceOptions, captured: boolean): Promise<DataSource> {
  const dataSource = new DataSource({
    ...options,
    entities: [Plain, Announced],
    synchronize: true,
  });
  await dataSource.initialize();
  if (captured) {
    const clock = new SystemClock();
    new EntityCapture(dataSource, {
      messageFactory: new MessageFactory(clock, new Codecs()),
      pipeline: new MessagePipeline(new DisabledStrategy(), clock),
    }).attach();
  }
  return dataSource;
}

/** A row is loaded once and then saved with another value each time: the most frequent of writes. */
async function saves(
  name: string,
  dataSource: DataSource,
  type: new () => Content,
): Promise<Candidate> {
  const repository = dataSource.getRepository<Content>(type);
  const row = await repository.save(
    Object.assign(new type(), {
      title: 'A title of a usual length',
      body: 'Some text. '.repeat(50),
      views: 0,
      summary: null,
    }),
  );
  return {
    name,
    once: () => {
      row.views += 1;
      return repository.save(row);
    },
  };
}
