import { median, reportValue } from '../harness.js';
import { application } from './application.js';
import type { Ground } from './ground.js';

const MESSAGES = 50_000;
const ROUNDS = 5;
/** Messages that the caller enlists between two turns of the event loop. */
const ENLISTED = 500;

/** The longest time for which a transaction of many messages blocks the event loop, on SQLite. */
export async function longTransaction({ services, endpoints }: Ground): Promise<void> {
  const blocks: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const one = await application('long', services.sqlite(), endpoints.fast(1), {});
    const { dataSource, transactions, message } = one.rig;
    await one.once();
    let [longest, last] = [0, performance.now()];
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }, 1);
    await dataSource.transaction(async (manager) => {
      for (let n = 0; n < MESSAGES; n++) {
        transactions.enlist(message({ data: { n } }), manager);
        if (n % ENLISTED === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    clearInterval(timer);
    blocks.push(longest);
    await one.stop();
  }
  reportValue('outbox.longest-block', median(blocks), 'ms', 200);
}
