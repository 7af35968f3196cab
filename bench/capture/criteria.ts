import { AbstractLogger, type DataSource, type DataSourceOptions } from 'typeorm';
import { median, rates, ratio, reportValue } from '../harness.js';

/** Rows that one write deletes. */
const ROWS = 1_000;
const DELETE_ROUNDS = 15;
/**
 * Deletions of a round, whose times are added up. The garbage collector stops two of five, and doubles their time: the
 * median of single ones would depend on whether it was one with it or without.
 */
const DELETIONS = 10;
/** Milliseconds of rounds that do not count: before, code is being compiled. */
const DELETE_WARM_UP = 3_000;
const DELETE_GOAL = 2.5;
const STATEMENT_GOAL = 2.2;
const UPDATE_GOAL = 2;
/** An entity without events is to cost nothing: what is above one is the noise of the measurement. */
const NO_EVENTS_GOAL = 1.02;
const SCHEDULE = { warmUp: 3000, turn: 300, rounds: 15, inFlight: 1 };
/** By short turns, of these two alone: the difference is below what is left to do after the turn of another. */
const NO_EVENTS_SCHEDULE = { ...SCHEDULE, turn: 100, rounds: 60 };

/** A row of the bench. */
export interface Row {
  id: number;
  views: number;
}

/** Opens a data source with an entity that has events, and one without. */
export interface Ground {
  readonly options: DataSourceOptions;
  readonly plain: new () => Row;
  readonly captured: new () => Row;
  open(options: DataSourceOptions, captured: boolean): Promise<DataSource>;
  rowOf(type: new () => Row): Row;
}

/** Counts the statements of a data source that are neither BEGIN nor COMMIT. */
class StatementCounter extends AbstractLogger {
  count = 0;

  override logQuery(sql: string): void {
    if (!/^(?:START|BEGIN|COMMIT)/.test(sql)) this.count += 1;
  }

  protected override writeLog(): void {}
}

/**
 * What writes by criteria cost with events: deleting 1,000 rows against reading and then deleting them, an update by id
 * against the same in a transaction, and an update of an entity without events.
 */
export async function measureCriteria(ground: Ground): Promise<void> {
  const statements = new StatementCounter('all');
  const [without, captured] = [
    await ground.open(ground.options, false),
    await ground.open(ground.options, true),
  ];
  try {
    reportValue(
      'capture.bulk-delete',
      await bulkDelete(ground, without, captured),
      'times',
      DELETE_GOAL,
    );
    await updates(ground, without, captured);
    const counted = await ground.open(
      { ...ground.options, logger: statements, logging: true },
      true,
    );
    const { id } = await counted.manager.save(ground.rowOf(ground.captured));
    statements.count = 0;
    for (let views = 1; views <= 10; views += 1) {
      await counted.manager.update(ground.captured, { id }, { views });
    }
    await counted.destroy();
    reportValue(
      'capture.update-by-id.statements',
      statements.count / 10,
      'statements',
      STATEMENT_GOAL,
    );
  } finally {
    await Promise.all([without.destroy(), captured.destroy()]);
  }
}

async function bulkDelete(
  { plain, captured: withEvents, rowOf }: Ground,
  without: DataSource,
  captured: DataSource,
): Promise<number> {
  const fill = async (dataSource: DataSource, type: new () => Row) => {
    const { tableName } = dataSource.getMetadata(type);
    // Otherwise both sides spend their time on the dead rows of earlier rounds.
    await dataSource.query(`VACUUM "${tableName}"`);
    // Not from here: what is left of making the rows would be collected while a deletion is timed.
    await dataSource.query(`INSERT INTO "${tableName}" SELECT * FROM bench_rows`);
  };
  const time = async (work: () => Promise<unknown>) => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  await without.manager.clear(plain);
  await captured.createQueryBuilder().delete().from(withEvents).callListeners(false).execute();
  await without.manager.insert(
    plain,
    Array.from({ length: ROWS }, () => rowOf(plain)),
  );
  const { tableName } = without.getMetadata(plain);
  await without.query(`CREATE TABLE bench_rows AS SELECT * FROM "${tableName}"`);
  await without.manager.clear(plain);
  const round = async (): Promise<readonly [plain: number, captured: number]> => {
    let [plainTime, capturedTime] = [0, 0];
    for (let deletion = 0; deletion < DELETIONS; deletion++) {
      await fill(without, plain);
      plainTime += await time(() =>
        without.transaction(async (manager) => {
          await manager.findBy(plain, { views: 0 });
          await manager.delete(plain, { views: 0 });
        }),
      );
      await fill(captured, withEvents);
      capturedTime += await time(() => captured.manager.delete(withEvents, { views: 0 }));
    }
    return [plainTime / DELETIONS, capturedTime / DELETIONS];
  };
  const began = performance.now();
  while (performance.now() - began < DELETE_WARM_UP) await round();
  const times: (readonly [number, number])[] = [];
  while (times.length < DELETE_ROUNDS) times.push(await round());
  const [plainTimes, capturedTimes] = [times.map(([time]) => time), times.map(([, time]) => time)];
  console.error(
    `${ROWS} rows: ${median(plainTimes).toFixed(1)} ms to read and delete, ${median(capturedTimes).toFixed(1)} ms with the event`,
  );
  return ratio(capturedTimes, plainTimes);
}

async function updates(
  { plain, captured: withEvents, rowOf }: Ground,
  without: DataSource,
  captured: DataSource,
): Promise<void> {
  const update = async (
    name: string,
    dataSource: DataSource,
    type: new () => Row,
    isInTransaction: boolean,
  ) => {
    const { id } = await dataSource.manager.save(rowOf(type));
    let views = 0;
    const once = (manager = dataSource.manager) => {
      views += 1;
      return manager.update(type, { id }, { views });
    };
    return { name, once: isInTransaction ? () => dataSource.transaction(once) : () => once() };
  };
  const found = await rates(
    [
      await update('in a transaction', without, plain, true),
      await update('with events', captured, withEvents, false),
    ],
    SCHEDULE,
  );
  const pair = await rates(
    [
      await update('alone', without, plain, false),
      await update('without events', captured, plain, false),
    ],
    NO_EVENTS_SCHEDULE,
  );
  for (const [name, each] of [...found, ...pair]) {
    console.error(`update by id, ${name}: ${Math.round(1e6 / median(each))} µs`);
  }
  const inTransaction = found.get('in a transaction')!;
  reportValue(
    'capture.update-by-id',
    ratio(inTransaction, found.get('with events')!),
    'times',
    UPDATE_GOAL,
  );
  reportValue(
    'capture.no-events',
    ratio(pair.get('alone')!, pair.get('without events')!),
    'times',
    NO_EVENTS_GOAL,
  );
}
