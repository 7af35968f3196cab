import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { idFrom } from '../../lib/outbox/tables/keys.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { checkDeliveries, isInOrder } from '../support/check-deliveries.js';
import { printFigures } from '../support/print-figures.js';
import { type ClientOutbox, openClientOutbox } from '../support/apps/client-outbox.js';
import { subscriber } from '../support/apps/outbox-app.js';
import { type OwnPostgres, startOwnPostgres } from '../services/postgres.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const WINDOW = 50;
const SUBSCRIBERS = {
  '/plain': {},
  '/skip': { ordered: true },
  '/hold': { ordered: true, onExhausted: 'hold' },
  '/disabled': { enabled: false },
} as const;
const ENABLED = ['/plain', '/skip', '/hold'];
/** Default of `client`: TypeORM. The server crashes when so many requests have arrived. */
const CRASHES: readonly { readonly client?: string; readonly at: readonly number[] }[] = [
  { at: [300, 600] },
  ...(process.env['THORN_LONG'] === '1'
    ? ['Prisma 7', 'Drizzle 0.45', 'pg'].map((client) => ({ client, at: [300, 600] }))
    : [{ client: 'Prisma 7', at: [150] }]),
];
const isDone = (rows: Record<string, unknown>[]) => rows.every(({ due_at: due }) => due === null);

describe.each(CRASHES)('a PostgreSQL server that crashes, with %j', ({ client, at }) => {
  let server: OwnPostgres;
  let receiver: ScriptedReceiver;
  let rig: ClientOutbox;

  beforeEach(async () => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    [server, receiver] = [await startOwnPostgres(), await ScriptedReceiver.start()];
    rig = await openClientOutbox(
      { options: { type: 'postgres', url: server.url } },
      // Longer than a busy machine takes to answer: a request that is repeated comes seconds later.
      { client, window: WINDOW, lease: 5000, timeout: 30_000, isLogged: false },
    );
    for (const [path, changes] of Object.entries(SUBSCRIBERS)) {
      await rig.subscribers.create(subscriber(new URL(path, receiver.url).href, changes));
    }
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await rig.close();
    await receiver.stop();
    await server.stop();
  });

  it('loses no committed message, restarted under load', async () => {
    receiver.otherwise({ delay: 5 });
    const committed: string[] = [];
    let refused = 0;
    const over = new AbortController();
    const writer = async (name: number) => {
      for (let n = 0; !over.signal.aborted; n++) {
        const title = `${name}-${n}`;
        try {
          await rig.begin(async (tx) => {
            await tx.save(title);
            await tx.send(rig.message({ orderBy: { key: `${name}` } }));
          });
          committed.push(title);
        } catch {
          refused++;
          // What the client was not told may be committed or not: the table says so in the end.
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    const writers = Array.from({ length: 5 }, (_, name) => writer(name));
    for (const arrived of at) {
      await receiver.waitFor(arrived);
      await server.crash();
    }
    const before = committed.length;
    await vi.waitFor(() => expect(committed.length).toBeGreaterThan(before + 50));
    over.abort();
    await Promise.all(writers);
    const messages = await rig.until(`SELECT id, due_at FROM ${STORED_MESSAGES}`, isDone);
    await rig.until('SELECT due_at FROM thorn_deliveries', isDone);
    const stored = await rig.rows('SELECT title FROM article');
    expect(stored.map(({ title }) => title)).toEqual(expect.arrayContaining(committed));
    expect(messages).toHaveLength(2 * stored.length);
    expect(refused).toBeGreaterThan(0);
    const ids = messages.map(({ id }) => idFrom('msg_', id, null));
    const { lost, duplicates, unknown } = checkDeliveries(receiver.received, ids, ENABLED);
    expect({ lost, unknown }).toEqual({ lost: [], unknown: [] });
    expect(duplicates).toBeLessThanOrEqual(at.length * WINDOW);
    for (const path of ['/skip', '/hold']) expect(isInOrder(receiver.received, path)).toBe(true);
    const deliveries = await rig.rows('SELECT id FROM thorn_deliveries');
    expect(deliveries).toHaveLength(ids.length * ENABLED.length);
    printFigures(`crashed, ${client ?? 'TypeORM'}`, { messages: ids.length, duplicates });
  });
});
