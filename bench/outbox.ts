import { type Ground, runParts } from './outbox/ground.js';
import { partsOf } from './parts.js';
import { ceiling } from './outbox/ceiling.js';
import { claims } from './outbox/claims.js';
import { cpu } from './outbox/cpu.js';
import { deadHost } from './outbox/dead-host.js';
import { distant } from './outbox/distant.js';
import { log } from './outbox/log.js';
import { longTransaction } from './outbox/long-transaction.js';
import { neighbour } from './outbox/neighbour.js';
import { pace, quiet, slowHealthy } from './outbox/pace.js';
import { saveCost } from './outbox/save-cost.js';
import { writeCost } from './outbox/write-cost.js';
import { slow } from './outbox/slow.js';
import { start } from './outbox/start.js';
import { statements } from './outbox/statements.js';
import { storage } from './outbox/storage.js';
import { throughput } from './outbox/throughput.js';

const PARTS: Readonly<Record<string, (ground: Ground) => Promise<void>>> = {
  throughput,
  cpu,
  ceiling,
  claims,
  neighbour,
  slow,
  pace,
  quiet,
  'slow-healthy': slowHealthy,
  'dead-host': deadHost,
  distant,
  'save-cost': saveCost,
  'write-cost': writeCost,
  start,
  statements,
  storage,
  log,
  'long-transaction': longTransaction,
};

/**
 * The durable strategy against what one would write by hand.
 *
 * @param wanted names of parts; all when there are none
 */
export async function run(wanted: readonly string[]): Promise<void> {
  await runParts(partsOf('outbox', PARTS, wanted));
}
