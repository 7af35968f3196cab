import { setTimeout as passes } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { OrderedReceiver } from '../support/ordered-receiver.js';
import { PLACES_ALIKE } from '../support/places.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const SEEDS = IS_LONG ? [1, 2, 3, 4, 5, 6, 7, 8] : [1];
const STEPS = IS_LONG ? 400 : 120;
const KEYS = ['a', 'b', 'c'];
const PATHS = ['/skip', '/hold', '/limited'];
const PATIENCE = 60_000;
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

let place: TestDatabase;
let receiver: OrderedReceiver;
let apps: OutboxApp[];

beforeEach(async () => {
  receiver = await OrderedReceiver.start();
});
afterEach(async () => {
  for (const app of apps) await app.close();
  await receiver.stop();
  await place.drop();
});

describe.each(
  PLACES_ALIKE.flatMap(({ kind }, at) => SEEDS.map((seed) => ({ kind, seed: seed + at }))),
)('a random run, on $kind with the seed $seed', ({ kind, seed }) => {
  it('delivers each key in order, with a hold without holes', { timeout: 120_000 }, async () => {
    const random = randomOf(seed);
    const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!;
    // What one message gets as answers does not depend on the order of requests.
    receiver.reply = ({ path, key, sequence, attempt }) => {
      const own = randomOf(
        seed * 31 + path.length * 7 + key.charCodeAt(0) + sequence * 101 + attempt,
      );
      const status = own() < 0.25 ? 500 : own() < 0.05 ? 429 : 204;
      return { status, after: Math.floor(own() * 8) };
    };
    place = await createDatabase(kind);
    const options = {
      schedule: [20, 20],
      lease: 5000,
      // One that is given up would overlap with the next, as the receiver sees it.
      timeout: 30_000,
      endpoints: { failures: 6, probeInterval: 50 },
    };
    const first = await openOutboxApp(place, options);
    const { subscribers } = first;
    apps = [first];
    await subscribers.create(subscriber(receiver.url('/skip'), { ordered: true }));
    const order = { ordered: true, onExhausted: 'hold' } as const;
    const { id: held } = await subscribers.create(subscriber(receiver.url('/hold'), order));
    await subscribers.create(
      subscriber(receiver.url('/limited'), {
        ...order,
        holdFor: 100,
        rateLimit: { max: 40, per: 1000 },
      }),
    );
    const open = () => openOutboxApp(place, { ...options, subscribers, synchronize: false });
    apps.push(await open());

    const sent = new Map(KEYS.map((key) => [key, 0]));
    const again = new Set<string>();
    const retryHeld = async () => {
      const { items } = await pick(apps).deliveries.list(
        { subscriberId: held, status: 'failed', limit: 200 },
        'any',
      );
      for (const { id } of items.filter(({ holding }) => holding)) {
        await pick(apps).deliveries.retry(id, 'any');
      }
    };
    for (let step = 0; step < STEPS; step++) {
      const dice = random();
      if (dice < 0.75) {
        const keys = KEYS.filter(() => random() < 0.6);
        const app = pick(apps);
        const messages = keys.map((key) => app.message({ orderBy: { key } }));
        await app.pipeline.send(messages);
        for (const key of keys) sent.set(key, sent.get(key)! + 1);
      } else if (dice < 0.85) await passes(random() * 20);
      else if (dice < 0.9) await retryHeld();
      else if (dice < 0.98) {
        const { items } = await pick(apps).deliveries.list({ limit: 30 }, 'any');
        const some = items.filter(({ subscriberId }) => subscriberId !== held);
        if (some.length > 0) {
          const { id } = pick(some);
          const outcome = await pick(apps).deliveries.retry(id, 'any');
          if (outcome === 'scheduled') again.add(id);
        }
      } else {
        const at = Math.floor(random() * apps.length);
        await apps[at]!.close();
        apps[at] = await open();
      }
    }
    await vi.waitFor(
      async () => {
        await retryHeld();
        const [app] = apps;
        expect(await app!.rows('SELECT id FROM thorn_pending_messages')).toEqual([]);
        const sql = 'SELECT id FROM thorn_deliveries WHERE due_at IS NOT NULL';
        expect(await app!.rows(sql)).toEqual([]);
      },
      { timeout: PATIENCE, interval: 100 },
    );

    expect(receiver.overlaps).toEqual([]);
    const rows = await apps[0]!.rows('SELECT id, key_hash, queue_position FROM thorn_deliveries');
    expect(rows).toHaveLength(PATHS.length * [...sent.values()].reduce((sum, one) => sum + one));
    expect(
      rows.filter(({ key_hash: key, queue_position: at }) => key !== null || at !== null),
    ).toEqual([]);
    for (const [key, count] of sent) {
      expect([...new Set(receiver.accepted(key, '/hold'))]).toEqual(upTo(count));
      for (const path of PATHS) {
        const asked = receiver.arrivals.filter(
          (one) => one.key === key && one.path === path && !again.has(one.delivery),
        );
        const sequences = asked.map(({ sequence }) => sequence);
        expect(sequences).toEqual(sequences.toSorted((one, other) => one - other));
      }
    }
  });
});

/** A small generator (mulberry32), so that a seed makes the same run everywhere. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
