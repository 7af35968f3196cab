import { reportRatio } from '../harness.js';
import { forked } from '../contenders/forked.js';
import { signedRequests } from '../http/client.js';
import { ours } from './application.js';
import type { Ground } from './ground.js';
import { ratioOf } from './latency.js';
import { measured, SUBSCRIBERS } from './throughput.js';

const SCHEDULE = { warmUp: 3000, turn: 2000, rounds: 5, inFlight: 100 };

/** The outbox as a share of the signed requests alone, which it cannot exceed. */
export async function ceiling({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const contenders = [
    await forked(ours, 'outbox on SQLite', services.sqlite(), urls),
    await forked(signedRequests, 'signed client', urls),
  ];
  const found = await measured(contenders, SCHEDULE);
  const value = ratioOf(found, 'outbox on SQLite', 'signed client');
  reportRatio('outbox.sqlite-vs-client', 'signed client', value, 0.55);
}
