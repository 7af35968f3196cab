import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebhookEventMap, WebhookEventName } from '../../lib/delivery/index.js';
import { SubscriberExpiry } from '../../lib/dispatch/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';

/** What each of them carries, by name. A new one that is not told here does not compile. */
const FIELDS: { readonly [Name in WebhookEventName]: readonly string[] } = {
  'message-accepted': ['event', 'messageId', 'owner', 'time'],
  succeeded: [
    ...['attempt', 'deliveryId', 'duration', 'error', 'event'],
    ...['host', 'messageId', 'status', 'subscriberId'],
  ],
  'retry-scheduled': [
    ...['attempt', 'deliveryId', 'duration', 'error', 'event'],
    ...['host', 'messageId', 'nextAt', 'status', 'subscriberId'],
  ],
  failed: [
    ...['attempt', 'deliveryId', 'duration', 'error', 'event'],
    ...['host', 'messageId', 'reason', 'status', 'subscriberId'],
  ],
  'delivery-skipped': [
    ...['deliveryId', 'event', 'host', 'key', 'messageId', 'reason', 'sequence', 'subscriberId'],
  ],
  'delivery-held': [
    ...['deliveryId', 'event', 'host', 'key', 'messageId', 'reason', 'sequence'],
    ...['subscriberId', 'until'],
  ],
  'subscriber-failing': [
    ...['disablesAt', 'error', 'failingMessages', 'failingSince', 'host', 'owner', 'share'],
    ...['status', 'subscriberId'],
  ],
  'subscriber-recovered': [
    ...['disablesAt', 'error', 'failingMessages', 'failingSince', 'host', 'owner', 'share'],
    ...['status', 'subscriberId'],
  ],
  'subscriber-disabled': [
    ...['disablesAt', 'error', 'failingMessages', 'failingSince', 'host', 'owner', 'reason'],
    ...['share', 'status', 'subscriberId'],
  ],
  'subscriber-expired': ['expiresAt', 'host', 'owner', 'subscriberId'],
  'recipient-refused': ['deliveryId', 'event', 'explanation', 'host', 'messageId', 'subscriberId'],
};
const NAMES = Object.keys(FIELDS) as WebhookEventName[];

type Told = { readonly [Name in WebhookEventName]: WebhookEventMap[Name][] };
const nothing = () => Object.fromEntries(NAMES.map((name) => [name, []])) as unknown as Told;

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rig: OutboxApp;
let heard: Told;
let published: Told;
const observe = (payload: unknown, channel: string | symbol) => {
  const name = String(channel).slice('thorn:'.length) as WebhookEventName;
  published[name].push(payload as never);
};

beforeEach(async () => {
  [heard, published] = [nothing(), nothing()];
  receiver = await ScriptedReceiver.start();
  place = await createDatabase('file');
  rig = await openOutboxApp(place, {
    clock: new MovableClock(),
    schedule: [1000],
    recipients: { ...LOOPBACK_RECIPIENTS, denyCidrs: ['127.0.0.9/32'] },
    health: { minMessages: 4, disableAfter: 2 },
  });
  for (const name of NAMES) {
    rig.events.on(name, (payload) => void heard[name].push(payload as never));
    subscribe(`thorn:${name}`, observe);
  }
});

afterEach(async () => {
  for (const name of NAMES) unsubscribe(`thorn:${name}`, observe);
  await rig.close();
  await receiver.stop();
  await place.drop();
});

describe('every lifecycle event', () => {
  it('is emitted with all of its fields, to listeners and on the channel of its name', async () => {
    const well = await rig.subscribers.create(subscriber(receiver.url, { events: ['well'] }));
    const retried = await rig.subscribers.create(
      subscriber(receiver.url, { events: ['retried'], owner: 'ann' }),
    );
    const gone = await rig.subscribers.create(subscriber(receiver.url, { events: ['gone'] }));
    const inside = receiver.url.replace('127.0.0.1', '127.0.0.9');
    const refused = await rig.subscribers.create(subscriber(inside, { events: ['inside'] }));
    let isWell = false;
    receiver.otherwise(({ event }) =>
      event === 'gone' ? 410 : event === 'retried' && !isWell ? 500 : 204,
    );
    for (const event of ['well', 'retried', 'gone', 'inside']) await rig.send({ event });
    await vi.waitFor(() =>
      expect(receiver.received.map(({ event }) => event)).toContain('retried'),
    );
    // Half of the messages and half of the time that disable it.
    (rig.clock as MovableClock).advance(1);
    await rig.send({ event: 'retried' });
    const ordered = { ordered: true, events: ['ordered'] };
    await rig.subscribers.create(subscriber(inside, ordered));
    await rig.subscribers.create(subscriber(`${inside}/2`, { ...ordered, onExhausted: 'hold' }));
    await rig.send({ event: 'ordered', orderBy: { key: 'a' } });
    const ended = { expiresAt: new Date(rig.clock.now()), events: ['ended'] };
    await rig.subscribers.create(subscriber(receiver.url, ended));
    await new SubscriberExpiry(rig.subscribers, rig.events, rig.clock, rig.strategy).pass();
    await vi.waitFor(() =>
      expect(heard['subscriber-failing']).toContainEqual(
        expect.objectContaining({ subscriberId: retried.id, share: 50, status: 500 }),
      ),
    );
    isWell = true;
    await rig.send({ event: 'retried' });
    await vi.waitFor(() => {
      for (const name of NAMES) expect(heard[name], name).not.toEqual([]);
      const failing = heard['subscriber-failing'].map(({ subscriberId }) => subscriberId);
      expect(failing).toContain(retried.id);
      const failed = heard.failed.map(({ subscriberId }) => subscriberId);
      expect(failed).toEqual(expect.arrayContaining([gone.id, refused.id]));
    });

    for (const name of NAMES) {
      expect(Object.keys(heard[name][0]!).sort(), name).toEqual(FIELDS[name]);
    }
    expect(heard['message-accepted'].map(({ event }) => event)).toEqual([
      ...['well', 'retried', 'gone', 'inside', 'retried', 'ordered', 'retried'],
    ]);
    expect(heard.succeeded).toMatchObject([
      { subscriberId: well.id, status: 204, attempt: 1 },
      { subscriberId: retried.id, status: 204, attempt: 1 },
    ]);
    expect(heard['subscriber-recovered']).toMatchObject([
      { subscriberId: retried.id, owner: 'ann', failingMessages: 2, share: 50 },
    ]);
    const scheduled = { subscriberId: retried.id, status: 500 };
    expect(heard['retry-scheduled']).toMatchObject([scheduled, scheduled]);
    const others = heard.failed.filter(({ event }) => event !== 'ordered');
    const failed = new Map(others.map((one) => [one.subscriberId, one.reason]));
    expect(failed).toEqual(
      new Map([
        [gone.id, 'gone'],
        [refused.id, 'refused'],
      ]),
    );
    expect(
      heard['subscriber-failing'].find((one) => one.subscriberId === retried.id),
    ).toMatchObject({
      owner: 'ann',
      failingMessages: 2,
    });
    expect(heard['subscriber-disabled']).toMatchObject([{ subscriberId: gone.id, reason: 'gone' }]);
    expect(heard['recipient-refused'][0]).toMatchObject({ subscriberId: refused.id });
    expect(heard['delivery-skipped']).toMatchObject([{ key: 'a', sequence: 1 }]);
    expect(heard['delivery-held']).toMatchObject([{ key: 'a', sequence: 1, until: null }]);
    expect(published).toEqual(heard);
  });
});
