import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { insertDueDeliveries } from '../support/seed-due-deliveries.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';

const WELL = 20;
const PER_HOST = 4;

/** Accepts connections, reads what comes and never answers. */
class SilentHost {
  readonly #open = new Set<Socket>();
  readonly #server: Server;
  most = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.#open.add(socket);
      this.most = Math.max(this.most, this.#open.size);
      socket.on('error', () => undefined).resume();
      socket.on('close', () => this.#open.delete(socket));
    });
  }

  static async start(): Promise<SilentHost> {
    const host = new SilentHost();
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let place: TestDatabase;
let well: ScriptedReceiver[];
let dead: SilentHost;
let rig: OutboxApp;

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  'a host that never answers among many, on $kind',
  ({ kind }) => {
    beforeEach(async () => {
      place = await createDatabase(kind);
      well = await Promise.all(Array.from({ length: WELL }, () => ScriptedReceiver.start()));
      dead = await SilentHost.start();
    });
    afterEach(async () => {
      // First: what is under way to it would last longer than the test.
      await dead.stop();
      await rig.close();
      await Promise.all(well.map((one) => one.stop()));
      await place.drop();
    });

    it('uses no more slots than its own, and delays no other host', async () => {
      // A window that it could fill alone, and a deadline beyond this test.
      rig = await openOutboxApp(place, {
        window: 40,
        perHost: PER_HOST,
        timeout: 60_000,
      });
      await rig.subscribers.create(subscriber(`http://${dead.host}/hooks`));
      for (const { url } of well) await rig.subscribers.create(subscriber(url));
      await Promise.all(Array.from({ length: 100 }, () => rig.send()));
      for (const one of well) await one.waitFor(100);
      await expect.poll(() => dead.most).toBe(PER_HOST);
    });

    it('gets no more than its share of a claim, however many of its deliveries are due', async () => {
      rig = await openOutboxApp(place, { worker: false, isLogged: false });
      const { subscribers } = rig;
      await insertDueDeliveries(rig, kind, {
        count: 3000,
        subscriber: 'sub_dead',
        hosts: [dead.host],
      });
      for (const [at, { url }] of well.entries()) {
        const [id, host] = [`sub_well${at}`, new URL(url).host];
        await insertDueDeliveries(rig, kind, { count: 5, subscriber: id, hosts: [host] });
        await subscribers.create(subscriber(url, { id, events: ['never.*'] }));
      }
      await subscribers.create(
        subscriber(`http://${dead.host}/hooks`, { id: 'sub_dead', events: ['never.*'] }),
      );
      await rig.close();

      rig = await openOutboxApp(place, {
        synchronize: false,
        subscribers,
        perHost: PER_HOST,
        timeout: 60_000,
      });
      for (const one of well) await one.waitFor(5);
      await expect.poll(() => dead.most).toBe(3);
      const [{ held }] = (await rig.rows(
        `SELECT COUNT(*) AS held FROM thorn_deliveries WHERE host = '${dead.host}' AND lease IS NOT NULL`,
      )) as [{ held: unknown }];
      // Three quarters of its slots are for retries, and as many again are claimed ahead.
      expect(Number(held)).toBeLessThanOrEqual(6);
    });
  },
);
