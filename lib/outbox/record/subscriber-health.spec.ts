import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../common/time.js';
import { WebhookEvents } from '../../delivery/index.js';
import { InMemorySubscriberRepository } from '../../subscriber/index.js';
import type { Outcome } from '../outcome.js';
import type { HealthChange, HealthTable, StoredHealth } from '../tables/health-table.js';
import { SubscriberHealth } from './subscriber-health.js';

describe('SubscriberHealth', () => {
  it('is not idle while a pass runs that the end of another one has begun', async () => {
    const gates: (() => void)[] = [];
    const written: string[] = [];
    const table: Pick<HealthTable, 'read' | 'write'> = {
      read: async (): Promise<ReadonlyMap<string, StoredHealth>> => new Map(),
      write: async (changes: readonly HealthChange[]) => {
        await new Promise<void>((resolve) => gates.push(resolve));
        const subscribers = changes.map(({ subscriber }) => subscriber);
        written.push(...subscribers);
        return new Set(subscribers);
      },
    };
    const health = new SubscriberHealth(
      new InMemorySubscriberRepository(),
      new WebhookEvents(),
      new SystemClock(),
      { health: { disableAfter: Infinity } },
    );
    health.start(table as HealthTable);

    health.count([failed('sub_a')]);
    await untilThere(gates, 1);
    health.count([failed('sub_b')]);
    let isIdle = false;
    const idle = health.idle().then(() => (isIdle = true));
    gates[0]!();
    await untilThere(gates, 2);
    expect({ isIdle, written }).toEqual({ isIdle: false, written: ['sub_a'] });

    gates[1]!();
    await idle;
    expect(written).toEqual(['sub_a', 'sub_b']);
  });
});

async function untilThere(list: readonly unknown[], length: number): Promise<void> {
  while (list.length < length) await new Promise((resolve) => setImmediate(resolve));
}

function failed(subscriberId: string): Outcome {
  const attempt = { startedAt: 1, outcome: 'failed', error: { code: 'timeout', message: 'late' } };
  return {
    subscriberId,
    host: 'example.com',
    at: 1,
    attempt,
    state: { reason: null },
    previousAttemptAt: null,
    disablesSubscriber: false,
  } as Outcome;
}
