import { ratio, reportRatio } from '../harness.js';
import { forked } from '../contenders/forked.js';
import { ours } from './application.js';
import type { Ground } from './ground.js';
import { e2 } from './queue.js';
import { measured, SUBSCRIBERS } from './throughput.js';

/** One of ten subscribers takes 300 ms. Everything counts once it is answered, so that nothing is left for later. */
export async function slow({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.withSlow(SUBSCRIBERS);
  const names = { outbox: 'outbox on SQLite, one slow', queue: 'E2, one slow' };
  const contenders = [
    await forked(ours, names.outbox, services.sqlite(), urls),
    await forked(e2, names.queue, await services.redis(), urls, 100),
  ];
  const found = await measured(contenders, {
    warmUp: 3000,
    turn: 4000,
    rounds: 5,
    inFlight: 1000,
  });
  reportRatio(
    'outbox.slow-vs-e2',
    'E2',
    ratio(found.get(names.outbox)!, found.get(names.queue)!),
    3.5,
  );
}
