import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type WebhookEventMap, WebhookEvents } from './webhook-events.js';

const accepted: WebhookEventMap['message-accepted'] = {
  messageId: 'msg_1',
  event: 'order.paid',
  owner: null,
  time: 1,
};

afterEach(() => void vi.restoreAllMocks());

describe('WebhookEvents', () => {
  it('tells the listeners of a name, in their order, and no others', () => {
    const events = new WebhookEvents();
    const heard: string[] = [];
    events.on('message-accepted', ({ messageId }) => heard.push(`first ${messageId}`));
    events.on('message-accepted', ({ event }) => heard.push(`second ${event}`));
    events.on('succeeded', () => heard.push('wrong'));

    events.emit('message-accepted', () => accepted);

    expect(heard).toEqual(['first msg_1', 'second order.paid']);
  });

  it('stops telling who has ended it, each by itself', () => {
    const events = new WebhookEvents();
    const listener = vi.fn();
    const stop = events.on('message-accepted', listener);
    events.on('message-accepted', listener);

    stop();
    stop();
    events.emit('message-accepted', () => accepted);

    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('tells once who asked for once, even when it emits itself', () => {
    const events = new WebhookEvents();
    const listener = vi.fn(() => events.emit('message-accepted', () => accepted));
    events.once('message-accepted', listener);

    events.emit('message-accepted', () => accepted);
    events.emit('message-accepted', () => accepted);

    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('lets a listener end others while it is told', () => {
    const events = new WebhookEvents();
    const heard: string[] = [];
    events.on('message-accepted', () => {
      heard.push('first');
      stop();
    });
    const stop = events.on('message-accepted', () => heard.push('second'));

    events.emit('message-accepted', () => accepted);
    events.emit('message-accepted', () => accepted);

    expect(heard).toEqual(['first', 'second', 'first']);
  });

  it('logs what a listener throws or rejects with, and tells the rest', async () => {
    const log = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const events = new WebhookEvents();
    const last = vi.fn();
    events.on('message-accepted', () => {
      throw new Error('thrown');
    });
    events.on('message-accepted', async () => {
      throw new Error('rejected');
    });
    events.on('message-accepted', last);

    expect(() => events.emit('message-accepted', () => accepted)).not.toThrow();
    await vi.waitFor(() => expect(log).toHaveBeenCalledTimes(2));

    expect(last).toHaveBeenCalledTimes(1);
    expect(log.mock.calls.map(([text]) => text as string)).toEqual([
      'A listener of the event message-accepted failed: thrown',
      'A listener of the event message-accepted failed: rejected',
    ]);
  });

  it('publishes on the diagnostics channel of the name', () => {
    const events = new WebhookEvents();
    const seen: unknown[] = [];
    const observer = (payload: unknown, name: string | symbol) => seen.push([name, payload]);
    subscribe('thorn:message-accepted', observer);
    try {
      events.emit('message-accepted', () => accepted);
      events.emit('succeeded', () => {
        throw new Error('nobody listens');
      });
    } finally {
      unsubscribe('thorn:message-accepted', observer);
    }
    events.emit('message-accepted', () => accepted);

    expect(seen).toEqual([['thorn:message-accepted', accepted]]);
  });

  it('makes no payload when nobody listens', () => {
    const events = new WebhookEvents();
    const describePayload = vi.fn(() => accepted);
    events.on('message-accepted', () => undefined)();

    events.emit('message-accepted', describePayload);

    expect(describePayload).not.toHaveBeenCalled();
    expect(events.isHeard('message-accepted')).toBe(false);
  });

  it('lets no listener change what the next one is told', () => {
    const events = new WebhookEvents();
    const seen = vi.fn();
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    events.on('message-accepted', (payload) => {
      (payload as { messageId: string }).messageId = 'changed';
    });
    events.on('message-accepted', ({ messageId }) => seen(messageId));

    events.emit('message-accepted', () => ({ ...accepted }));

    expect(seen).toHaveBeenCalledWith('msg_1');
  });
});
