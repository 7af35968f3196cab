import { type INestApplication, Logger } from '@nestjs/common';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Deliveries } from '../../lib/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { TutorialReader } from './reader.js';

describe('the tutorial', () => {
  const reader = new TutorialReader('docs/tutorial.md');
  let app: INestApplication;
  let receiver: ScriptedReceiver;
  let answers: readonly unknown[];

  beforeAll(async () => {
    Logger.overrideLogger(false);
    vi.stubEnv('DATABASE', join(reader.directory, 'shop.sqlite'));
    vi.stubEnv('PORT', '0');
    receiver = await ScriptedReceiver.start();
    app = await reader.start();
    answers = await reader.follow(app, receiver, async (step) => {
      if (!step.includes('/pay')) return;
      // The next step looks at the log.
      await vi.waitFor(async () => {
        const { items } = await app.get(Deliveries).list({ status: 'succeeded' }, 'any');
        expect(items).toHaveLength(2);
      });
    });
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    await app?.close();
    await receiver?.stop();
    reader.end();
  });

  it('installs what its files import', () => {
    expect(reader.installed).toEqual(expect.arrayContaining([...reader.imported]));
  });

  it('shows the subscriber with its secret', () => {
    expect(reader.subscriber).toEqual(
      expect.objectContaining({
        events: ['order.*'],
        secret: expect.stringMatching(/^whsec_/) as string,
      }),
    );
  });

  it('brings the events to the partner, signed with the secret that was shown', () => {
    const { secret } = reader.subscriber;
    const events = receiver.received.map(({ event }) => event);
    expect(events[0]).toBe('thorn.ping');
    expect(events.slice(1, 3).toSorted()).toEqual(['order.paid', 'order.placed']);
    expect(receiver.received.every((webhook) => webhook.isSignedWith(secret))).toBe(true);
    expect(receiver.received.find(({ event }) => event === 'order.paid')!.json).toMatchObject({
      type: 'order.paid',
      owner: 'ann',
      data: { id: 1, total: 4200, state: 'PAID' },
    });
  });

  it('lets the partner look, retry, count what failed and rotate, and nobody else', async () => {
    const [delivery, retried, failed, rotated, foreign] = answers.slice(-5);
    const { id: deliveryId, messageId } = delivery as Record<string, unknown>;

    expect(delivery).toMatchObject({ status: 'succeeded', attempts: [{ status: 204 }] });
    // Its state is that of the moment: it may have been sent again already.
    expect(retried).toMatchObject({ id: deliveryId });
    await expect.poll(() => receiver.received.filter(({ id }) => id === messageId)).toHaveLength(2);
    expect(failed).toMatchObject({ next: null });
    expect(rotated).toMatchObject({ secret: expect.stringMatching(/^whsec_/) as string });
    expect(foreign).toMatchObject({ status: 404 });
  });
});
