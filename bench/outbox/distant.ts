import { forked } from '../contenders/forked.js';
import { median, rates, reportFigure } from '../harness.js';
import { startSlowReceiver } from '../receiver.js';
import { ours } from './application.js';
import type { Ground } from './ground.js';

const SUBSCRIBERS = 30;
const DELAY = 50;

/** Endpoints that take a while, of which one process needs many requests at once. */
export async function distant({ services }: Ground): Promise<void> {
  const receiver = await startSlowReceiver(DELAY);
  const urls = Array.from(
    { length: SUBSCRIBERS },
    (_, n) => `http://127.0.5.${n + 1}:${receiver.port}/hooks`,
  );
  const one = await forked(ours, 'outbox on SQLite', services.sqlite(), urls);
  const found = await rates([one], { warmUp: 3000, turn: 2000, rounds: 5, inFlight: 300 });
  await one.stop();
  await receiver.stop();
  reportFigure('outbox.distant', median(found.get(one.name)!) * SUBSCRIBERS, 'deliveries/s');
}
