import type { DataSourceOptions } from 'typeorm';
import { type Forked, forked } from '../contenders/forked.js';
import { median, rates, ratio, reportRatio } from '../harness.js';
import type { Ground } from './ground.js';
import { type Beside, saves } from './saves.js';
import { SlowWire } from './slow-wire.js';

const SCHEDULE = { warmUp: 3000, turn: 1000, rounds: 7 };
/** Milliseconds on the way to PostgreSQL and back, each. */
const ONE_WAY = 0.5;

/**
 * Saving an entity whose creation is an event: where nobody subscribes, against saving it in an application without Thorn;
 * else against one that writes the row of the message by hand, in the same transaction.
 */
export async function saveCost({ services }: Ground): Promise<void> {
  const all: readonly Beside[] = ['nothing', 'unheard event', 'heard event', 'row by hand'];
  const sqlite = await measured('SQLite', all, async () => services.sqlite());
  report('unheard-sqlite', sqlite, 'unheard event', 1.1);
  report('heard-sqlite', sqlite, 'heard event', 1.1, 'row by hand');
  const postgres = await measured('PostgreSQL', all, () => services.postgres());
  report('unheard-postgres', postgres, 'unheard event', 1.1);
  report('heard-postgres', postgres, 'heard event', 1.1, 'row by hand');
  const heard: readonly Beside[] = ['nothing', 'heard event', 'row by hand'];
  const busy = await measured('PostgreSQL, 8 at once', heard, () => services.postgres(), 8);
  report('8', busy, 'heard event', 1.1, 'row by hand');

  const wires: SlowWire[] = [];
  const far = (extra: object) => async () => {
    const options = (await services.postgres()) as Extract<DataSourceOptions, { type: 'postgres' }>;
    const url = new URL(options.url!);
    const target = { host: url.hostname, port: Number(url.port || 5432) };
    wires.push(await SlowWire.start(target, ONE_WAY));
    [url.hostname, url.port] = ['127.0.0.1', `${wires.at(-1)!.port}`];
    return { ...options, extra, url: url.href };
  };
  const rtt = await measured('PostgreSQL, 1 ms away', heard, far({}));
  report('rtt', rtt, 'heard event', 1.1, 'row by hand');
  const pipelined = await measured(
    'PostgreSQL, 1 ms away, pipelined',
    heard,
    far({ pipeline: true }),
  );
  report('rtt-pipelined', pipelined, 'heard event', 1.1, 'row by hand');
  for (const wire of wires) await wire.stop();
}

/** Saves a second, round by round, each in a process and a database of its own. */
async function measured(
  name: string,
  all: readonly Beside[],
  place: () => Promise<DataSourceOptions>,
  inFlight = 1,
): Promise<ReadonlyMap<string, number[]>> {
  const contenders: Forked[] = [];
  for (const beside of all) contenders.push(await forked(saves, beside, await place(), beside));
  const found = await rates(contenders, { ...SCHEDULE, inFlight });
  for (const contender of contenders) await contender.stop();
  const told = [...found].map(([beside, values]) => `${Math.round(median(values))} with ${beside}`);
  console.error(`${name}: saves/s ${told.join(', ')}`);
  return found;
}

function report(
  bench: string,
  found: ReadonlyMap<string, number[]>,
  beside: Beside,
  goal: number,
  baseline: Beside = 'nothing',
): void {
  const value = ratio(found.get(baseline)!, found.get(beside)!);
  reportRatio(`outbox.save-cost-${bench}`, baseline, value, goal, 'at most');
}
