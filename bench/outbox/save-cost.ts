import type { DataSourceOptions } from 'typeorm';
import { type Forked, forked } from '../contenders/forked.js';
import { median, rates, ratio, reportRatio } from '../harness.js';
import type { Ground } from './ground.js';
import { type Beside, saves } from './saves.js';
import { SlowWire } from './slow-wire.js';

const SCHEDULE = { warmUp: 3000, turn: 1000, rounds: 7 };
/** Milliseconds on the way to PostgreSQL and back, each. */
const ONE_WAY = 0.5;

interface Case {
  readonly name: string;
  readonly place: () => Promise<DataSourceOptions>;
  readonly inFlight?: number;
  /** A subscriber of the event. */
  readonly isHeard?: boolean;
}

/**
 * Saving an entity whose creation is an event, against saving it in an application without Thorn. On the side: what the
 * statement alone costs that stores the message, written by hand in the same transaction.
 */
export async function saveCost({ services }: Ground): Promise<void> {
  const sqlite = { name: 'SQLite', place: async () => services.sqlite() };
  const postgres = { name: 'PostgreSQL', place: () => services.postgres() };
  const report = (bench: string, value: number, goal: number) =>
    reportRatio(bench, 'save', value, goal, 'at most');
  report('outbox.save-cost-unheard-sqlite', await cost(sqlite), 1.2);
  report('outbox.save-cost-unheard-postgres', await cost(postgres), 1.2);
  report('outbox.save-cost-heard-sqlite', await cost({ ...sqlite, isHeard: true }), 1.6);
  report('outbox.save-cost-heard-postgres', await cost({ ...postgres, isHeard: true }), 1.5);
  report('outbox.save-cost-8', await cost({ ...postgres, isHeard: true, inFlight: 8 }), 1.6);

  const wires: SlowWire[] = [];
  const far = async () => {
    const options = (await services.postgres()) as Extract<DataSourceOptions, { type: 'postgres' }>;
    const url = new URL(options.url!);
    const target = { host: url.hostname, port: Number(url.port || 5432) };
    wires.push(await SlowWire.start(target, ONE_WAY));
    [url.hostname, url.port] = ['127.0.0.1', `${wires.at(-1)!.port}`];
    return { ...options, url: url.href };
  };
  const distant = { name: 'PostgreSQL, 1 ms away', place: far, isHeard: true };
  report('outbox.save-cost-rtt', await cost(distant), 1.3);
  for (const wire of wires) await wire.stop();
}

async function cost({ name, place, inFlight = 1, isHeard = false }: Case): Promise<number> {
  const all: readonly Beside[] = isHeard
    ? ['nothing', 'heard event', 'row by hand']
    : ['nothing', 'unheard event'];
  const contenders: Forked[] = [];
  for (const beside of all) contenders.push(await forked(saves, beside, await place(), beside));
  const found = await rates(contenders, { ...SCHEDULE, inFlight });
  for (const contender of contenders) await contender.stop();
  const [none, slower, byHand] = contenders.map((one) => found.get(one.name)!);
  const aside =
    byHand && `; with an INSERT by hand ${ratio(none!, byHand).toFixed(2)} times the cost`;
  console.error(
    `${name}, ${inFlight} at once, ${isHeard ? 'one subscriber' : 'nobody subscribed'}: ${Math.round(median(none!))} saves/s, ${Math.round(median(slower!))} with an event${aside ?? ''}`,
  );
  return ratio(none!, slower!);
}
