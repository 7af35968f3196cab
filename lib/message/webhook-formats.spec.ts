import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../errors/index.js';
import { MovableClock } from '../testing/index.js';
import { Codecs } from './codecs.js';
import type { EnvelopeOption } from './envelope.js';
import { MessageFactory } from './message.factory.js';
import type { Recipient } from './recipient.js';
import { type FormatInput, type FormattedRequest, WebhookFormat } from './webhook-format.js';
import { WebhookFormats } from './webhook-formats.js';

class ChatFormat extends WebhookFormat {
  request(message: FormatInput): FormattedRequest {
    return { body: JSON.stringify(message), headers: { 'X-Chat': message.subscriber.id } };
  }
}

const chat = new ChatFormat();
const recipient = (given: Partial<Recipient> = {}): Recipient => ({
  ...{ id: 'sub_1', url: 'https://example.com/', contentType: 'application/json' },
  ...{ digest: 'sha256', secrets: [], format: 'chat' },
  ...given,
});
const message = (envelope?: EnvelopeOption) =>
  new MessageFactory(new MovableClock(0), new Codecs(), { envelope }).create({
    ...{ id: 'msg_1', event: 'article.published', data: { title: 'Ä' } },
    ...{ ref: '/articles/1', owner: 'joe', audience: 'owner' },
  });

describe('a request of a format', () => {
  it.each(['standard', 'thorn'] as const)('is made of the data in the envelope %s', (envelope) => {
    const formats = new WebhookFormats({ formats: { chat } });
    const { body, contentType, headers } = formats.encode(
      message(envelope),
      recipient({ metadata: { room: '7' } }),
    );

    expect(JSON.parse(body.toString())).toEqual({
      ...{ id: 'msg_1', event: 'article.published', timestamp: '1970-01-01T00:00:00.000Z' },
      ...{ data: { title: 'Ä' }, ref: '/articles/1', owner: 'joe' },
      subscriber: { id: 'sub_1', metadata: { room: '7' } },
    });
    expect({ contentType, headers }).toEqual({
      contentType: 'application/json',
      headers: { 'X-Chat': 'sub_1' },
    });
  });

  it('is the body itself where no format is named', () => {
    const { body, headers } = new WebhookFormats().encode(message(), recipient({ format: null }));

    expect(JSON.parse(body.toString())).toMatchObject({ type: 'article.published' });
    expect(headers).toBeNull();
  });

  it('is refused when the format is not registered in this process', () => {
    expect(() => new WebhookFormats().encode(message(), recipient())).toThrow(
      'format "chat" is not registered in this process: name it in ThornModule.forRoot({ formats })',
    );
  });

  it('goes to no other URL while its format is not registered, since nobody knows its hosts', () => {
    expect(() => new WebhookFormats().checkHost(recipient())).toThrow('"chat" is not registered');
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, '"chat" must answer { body }'],
    ['bytes', { body: Buffer.from('{}') }, '"chat" must answer { body }'],
    ['no media type', { body: '', contentType: 'a\nb' }, '"chat" must answer { body }'],
    ['a reserved header', { body: '', headers: { 'Hook-Event': 'x' } }, '"Hook-Event" is set by'],
    ['half a header', { body: '', headers: { 'X-A': 'a\r\nb' } }, '"X-A" must be printable'],
  ])('is refused when the format answers %s', (_, answer, error) => {
    class Wrong extends WebhookFormat {
      request(): FormattedRequest {
        return answer as FormattedRequest;
      }
    }
    const formats = new WebhookFormats({ formats: { chat: new Wrong() } });
    expect(() => formats.encode(message(), recipient())).toThrow(error);
  });
});

describe('a format that answers a promise', () => {
  it('is refused, and its rejection ends no process', async () => {
    class Late extends WebhookFormat {
      request(): FormattedRequest {
        return Promise.reject(new Error('Late')) as unknown as FormattedRequest;
      }
    }
    const formats = new WebhookFormats({ formats: { chat: new Late() } });
    expect(() => formats.encode(message(), recipient())).toThrow(
      '"chat" must answer at once, not a promise',
    );
    // A rejection that nobody heeds fails the run.
    await setImmediate();
  });
});

describe('the option formats', () => {
  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['a name in capitals', { Slack: chat }, '`formats.Slack` must be named by up to 32'],
    ['the name of the standard', { standard: chat }, '`formats.standard` must be named by'],
    [
      'a plain object',
      { chat: { request: () => ({ body: '' }) } },
      'must be an instance of a class',
    ],
    [
      'a rule that is unknown',
      { chat: withRules({ host: 'a' }) },
      'Unknown option `formats.chat.rules.host`',
    ],
    [
      'a host with a path',
      { chat: withRules({ hosts: ['a.com/b'] }) },
      '`formats.chat.rules.hosts` must be',
    ],
    [
      'a host in capitals',
      { chat: withRules({ hosts: ['A.com'] }) },
      '`formats.chat.rules.hosts` must be',
    ],
    ['no host', { chat: withRules({ hosts: [] }) }, '`formats.chat.rules.hosts` must be'],
    ['a negative delay', { chat: withRules({ retries: [-1] }) }, 'rules.retries` must be'],
    ['no bytes', { chat: withRules({ maxBytes: 0 }) }, 'rules.maxBytes` must be'],
    [
      'a status of success',
      { chat: withRules({ endsDelivery: [200] }) },
      'rules.endsDelivery` must be',
    ],
    ['a pause of "no"', { chat: withRules({ pausesHost: 'no' }) }, 'rules.pausesHost` must be'],
  ])('refuses %s', (_, formats, error) => {
    const make = () =>
      new WebhookFormats({ formats: formats as Readonly<Record<string, WebhookFormat>> });
    expect(make).toThrow(ThornConfigurationError);
    expect(make).toThrow(error);
  });

  it('has its rules read once', () => {
    let reads = 0;
    const counting = Object.defineProperty(new ChatFormat(), 'rules', {
      get: () => ({ maxBytes: ++reads }),
    });
    const formats = new WebhookFormats({ formats: { chat: counting } });
    formats.checkHost(recipient());
    expect(formats.rulesOf(recipient())).toEqual({ maxBytes: 1 });
  });

  it('refuses a format beside an envelope that is a function', () => {
    expect(() => new WebhookFormats({ formats: { chat }, envelope: (body) => body })).toThrow(
      'cannot be used together with an envelope function',
    );
  });
});

function withRules(rules: object): WebhookFormat {
  return Object.assign(new ChatFormat(), { rules });
}
