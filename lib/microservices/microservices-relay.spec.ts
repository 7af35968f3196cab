import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RelayWorker, type Ticket } from '../outbox/index.js';
import { brokerSettings } from './microservices-options.js';
import { MicroservicesRelay } from './microservices-relay.js';

const MOST_UNDER_WAY = 500;

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(new Logger()));

const batch = { version: 1, tickets: [{ id: 'msg_1', source: 0, lease: 'x' }] };

/** A relay, the calls of its worker, and the acknowledgements that the broker got. */
function bench(isAwaited: boolean, work: () => Promise<void> = async () => undefined) {
  const calls: boolean[] = [];
  const heard: string[] = [];
  const worker = new (class extends RelayWorker {
    override async work(_tickets: readonly Ticket[], isRepeated: boolean) {
      calls.push(isRepeated);
      await work();
    }
  })();
  const relay = new MicroservicesRelay(brokerSettings({ producer: false }), {
    client: null,
    acknowledgements: () => ({
      isAwaited,
      confirm: () => heard.push('confirmed'),
      reject: () => heard.push('rejected'),
    }),
  });
  return { relay, worker, calls, heard };
}

describe('an event that a broker brings', () => {
  it('is worked on as one that another worker may have, and confirmed', async () => {
    const { relay, worker, calls, heard } = bench(true);
    const received = relay.receive(batch, {});
    relay.start(worker);
    await received;
    await relay.close();
    expect({ calls, heard }).toEqual({ calls: [true], heard: ['confirmed'] });
  });

  it('is rejected when the work fails: its messages are in the database', async () => {
    const { relay, worker, heard } = bench(true, () => Promise.reject(new Error('no database')));
    relay.start(worker);
    await relay.receive(batch, {});
    await relay.close();
    expect(heard).toEqual(['rejected']);
  });

  it('is left to other workers once this one is paused, where the broker has others', async () => {
    const { relay, worker, calls, heard } = bench(true);
    relay.start(worker);
    relay.pause();
    await relay.receive(batch, {});
    expect({ calls, heard }).toEqual({ calls: [], heard: [] });
  });

  it('is still worked on where the broker has no other worker for it', async () => {
    const { relay, worker, calls } = bench(false);
    relay.start(worker);
    relay.pause();
    await relay.receive(batch, {});
    await relay.close();
    await relay.receive(batch, {});
    expect(calls).toHaveLength(1);
  });

  it('makes the next one wait when too many are under way', async () => {
    const ends: (() => void)[] = [];
    const { relay, worker } = bench(false, () => new Promise((resolve) => ends.push(resolve)));
    relay.start(worker);
    for (let n = 1; n < MOST_UNDER_WAY; n++) await relay.receive(batch, {});
    let isTaken = false;
    const last = relay.receive(batch, {}).then(() => (isTaken = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isTaken).toBe(false);
    ends[0]!();
    await last;
    for (const end of ends) end();
    await relay.close();
  });
});
