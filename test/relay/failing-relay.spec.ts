import { Logger } from '@nestjs/common';
import { afterEach, expect, it, vi } from 'vitest';
import { MessageRelay, type Ticket } from '../../lib/outbox/index.js';
import type { Message } from '../../lib/message/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { createDatabase } from '../support/databases.js';
import { Article, openOutboxApp, subscriber } from '../support/apps/outbox-app.js';

/** Takes nothing, and fails when it is to end. */
class FailingRelay extends MessageRelay {
  override readonly carries = true;

  override start(): void {}

  override async carry(
    _messages: readonly Message[],
    tickets: readonly Ticket[],
  ): Promise<readonly Ticket[]> {
    return tickets;
  }

  override pause(): void {
    throw new Error('no pause');
  }

  override close(): Promise<void> {
    return Promise.reject(new Error('no end'));
  }
}

/** Keeps what it takes. */
class KeepingRelay extends MessageRelay {
  override readonly carries = true;
  readonly tickets: Ticket[] = [];

  override start(): void {}

  override async carry(_messages: readonly Message[], tickets: readonly Ticket[]): Promise<[]> {
    this.tickets.push(...tickets);
    return [];
  }

  override pause(): void {}

  override async close(): Promise<void> {}
}

/** Answers to nothing until it is closed. */
class SilentRelay extends KeepingRelay {
  #close = (): void => {};

  override async carry(messages: readonly Message[], tickets: readonly Ticket[]): Promise<[]> {
    await super.carry(messages, tickets);
    await new Promise<void>((resolve) => (this.#close = resolve));
    return [];
  }

  override pause(): void {
    this.#close();
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

it('records deliveries when a relay fails at shutdown, and logs the failure', async () => {
  const errors = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  const receiver = await ScriptedReceiver.start();
  receiver.otherwise({ delay: 200 });
  const place = await createDatabase('file');
  const rig = await openOutboxApp(place, { relay: new FailingRelay() });
  await rig.subscribers.create(subscriber(receiver.url));
  await rig.send();
  await receiver.waitFor(1);

  await rig.strategy.onModuleDestroy();
  await rig.strategy.onApplicationShutdown();

  expect(await rig.rows('SELECT status FROM thorn_deliveries')).toEqual([{ status: 'succeeded' }]);
  const told = errors.mock.calls.map(([text]) => String(text));
  expect(told).toContain('Pausing the relay failed: no pause');
  expect(told).toContain('Closing the relay failed: no end');
  await rig.close();
  await receiver.stop();
  await place.drop();
});

it('leaves what its relay has not brought to others at shutdown, as soon as it has ended', async () => {
  const receiver = await ScriptedReceiver.start();
  const place = await createDatabase('file');
  const relay = new KeepingRelay();
  // Longer than the test: nothing expires in it.
  const lease = 120_000;
  const leaving = await openOutboxApp(place, { relay, lease });
  await leaving.subscribers.create(subscriber(receiver.url));
  await leaving.send();
  await expect.poll(() => relay.tickets).toHaveLength(1);
  await leaving.close();

  const { subscribers } = leaving;
  const staying = await openOutboxApp(place, { lease, subscribers, synchronize: false });
  await staying.until('SELECT status FROM thorn_deliveries', (rows) => rows.length === 1);
  expect(receiver.received).toHaveLength(1);
  await staying.close();
  await receiver.stop();
  await place.drop();
});

it('lets no commit wait for its relay', async () => {
  const receiver = await ScriptedReceiver.start();
  const place = await createDatabase('file');
  const relay = new SilentRelay();
  const rig = await openOutboxApp(place, { relay });
  await rig.subscribers.create(subscriber(receiver.url, { events: ['*'] }));
  const article = Object.assign(new Article(), { title: 'one' });
  await rig.dataSource.transaction((manager) => manager.save(article));
  await expect.poll(() => relay.tickets).toHaveLength(1);
  await rig.close();
  await receiver.stop();
  await place.drop();
});
