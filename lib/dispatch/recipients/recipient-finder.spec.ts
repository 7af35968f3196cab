import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../common/index.js';
import { Codecs, type Message, MessageFactory, WebhookFormats } from '../../message/index.js';
import { InMemorySubscriberRepository, StaticSubscriberSet } from '../../subscriber/index.js';
import { subscriber } from '../../../test/support/apps/outbox-app.js';
import { FanOut } from './fan-out.js';
import { RecipientUnknownError } from './recipient-finder.js';

describe('RecipientFinder', () => {
  const factory = new MessageFactory(new SystemClock(), new Codecs());
  let repository: InMemorySubscriberRepository;
  let statics: StaticSubscriberSet;
  let fanOut: FanOut;
  let message: Message;

  beforeEach(() => {
    vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    repository = new InMemorySubscriberRepository();
    statics = new StaticSubscriberSet({
      checkUrl: () => undefined,
      checkSecret: () => undefined,
      contentTypes: ['application/json'],
      formats: new WebhookFormats(),
    });
    fanOut = new FanOut(repository, statics, new SystemClock());
    message = factory.create({ event: 'order.placed' });
  });
  afterEach(() => vi.restoreAllMocks());

  it('finds a stored subscriber by its id, without matching and whatever events it listens to', async () => {
    const { id } = await repository.create(subscriber('http://a.example', { events: ['other'] }));
    const match = vi.spyOn(repository, 'match');
    const named = vi.spyOn(statics, 'match');
    expect(await fanOut.finder().find(message, id)).toMatchObject({ id, url: 'http://a.example' });
    expect(match).not.toHaveBeenCalled();
    expect(named).not.toHaveBeenCalled();
  });

  it('asks for a stored subscriber once for all messages of a batch', async () => {
    const { id } = await repository.create(subscriber('http://a.example'));
    const findActive = vi.spyOn(repository, 'findActive');
    const finder = fanOut.finder();
    await finder.find(message, id);
    await finder.find(factory.create({ event: 'order.paid' }), id);
    expect(findActive).toHaveBeenCalledTimes(1);
  });

  it('finds no subscriber that was disabled or removed', async () => {
    const { id } = await repository.create(subscriber('http://a.example', { enabled: false }));
    expect(await fanOut.finder().find(message, id)).toBeNull();
    expect(await fanOut.finder().find(message, 'sub_none')).toBeNull();
  });

  it('finds a static subscriber while the settings name it', async () => {
    let urls = ['http://static.example'];
    statics.add('order.*', () => urls);
    const [recipient] = await fanOut.recipientsOf(message);
    expect(await fanOut.finder().find(message, recipient!.id)).toEqual(recipient);
    urls = [];
    expect(await fanOut.finder().find(message, recipient!.id)).toBeNull();
  });

  it('rejects when a callback of the settings fails that may name the static subscriber', async () => {
    let failure: Error | null = null;
    statics.add('order.*', () => {
      if (failure !== null) throw failure;
      return 'http://static.example';
    });
    const [recipient] = await fanOut.recipientsOf(message);
    failure = new Error('no connection');
    const found = fanOut.finder().find(message, recipient!.id);
    await expect(found).rejects.toThrow(RecipientUnknownError);
  });

  it('finds a recipient that was given with the message, without asking the settings', async () => {
    const named = vi.spyOn(statics, 'match');
    const recipients = await statics.resolve('http://own.example', 'order.placed', null);
    const own = factory.create({ event: 'order.placed', recipients });
    expect(await fanOut.finder().find(own, recipients[0]!.id)).toBe(recipients[0]);
    expect(named).not.toHaveBeenCalled();
  });
});
