import { setTimeout as sleep } from 'node:timers/promises';
import { claim, dueHosts } from '../../lib/outbox/wait/claim.js';
import { openOutboxApp } from '../../test/support/apps/outbox-app.js';
import { analyzeTables, insertDueDeliveries } from '../../test/support/seed-due-deliveries.js';
import { reportValue } from '../harness.js';
import type { Ground } from './ground.js';

const ROWS = 1_000_000;
const CLAIMS = 100;
const HOSTS = ['a:1', 'b:1'];
/** Milliseconds. */
const PAUSE = 5;

/** A worker's claim of a hundred deliveries while a million are due. */
export async function claims({ services }: Ground): Promise<void> {
  for (const kind of ['file', 'postgres'] as const) {
    const options = kind === 'file' ? services.sqlite() : await services.postgres();
    const app = await openOutboxApp({ options }, { worker: false, isLogged: false });
    await insertDueDeliveries(app, kind, { count: ROWS, subscriber: 'sub_x', hosts: HOSTS });
    await analyzeTables(app, kind);
    const store = app.strategy.store;
    const times: number[] = [];
    for (let n = 0; n < CLAIMS; n++) {
      // As between the claims of an application.
      await sleep(PAUSE);
      const now = app.clock.now();
      const { hosts } = await dueHosts(store, '', now, 256);
      const shares = hosts.map((host) => ({ host, limit: 50 }));
      const began = performance.now();
      await claim(store, shares, { token: `lease-${n}`, leasedUntil: now + 60_000 }, now);
      times.push(performance.now() - began);
    }
    await app.close();
    const p95 = times.toSorted((one, other) => one - other)[CLAIMS * 0.95]!;
    reportValue(`outbox.claims-p95-${kind === 'file' ? 'sqlite' : 'postgres'}`, p95, 'ms', 20);
  }
}
