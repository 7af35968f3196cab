import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  CHAT_TEMPLATES,
  Clock,
  defineEvents,
  Deliveries,
  type DeliveryStatus,
  Maintenance,
  outbox,
  WebhookDispatcher,
} from '../../lib/index.js';
import {
  LOOPBACK_RECIPIENTS,
  MovableClock,
  type ReceivedWebhook,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import { type Api, owners, startApi } from '../support/apps/api-app.js';
import { sqliteAndPostgres, type TestDatabase } from '../support/databases.js';

const DAY = 24 * 60 * 60_000;
const PATIENCE = { timeout: 30_000, interval: 50 };

const events = defineEvents({
  'note.added': {
    description: 'Somebody has written a note',
    schema: {
      type: 'object',
      properties: { title: { type: 'string' }, author: { type: 'string' }, n: { type: 'integer' } },
    },
  },
});

/** Texts that would break JSON, or the markup of a chat, if they were not escaped. */
const TITLE = 'Said "hello",\nthen \\ and \t }} {{data.n}} <!channel> @everyone 🎉 \u2028 ü';
const DATA = { title: TITLE, author: 'Änne "the quote"', n: 7 };

/** Each shape by the path of its subscriber, with the body that it makes of a message. */
const SHAPES: Readonly<Record<string, { fields: object; body: (id: string) => object }>> = {
  fields: {
    fields: { fields: ['title'] },
    body: () => ({ type: 'note.added', timestamp: expect.any(String), data: { title: TITLE } }),
  },
  thin: {
    fields: { thin: true },
    body: (id) => ({
      ...{ type: 'note.added', timestamp: expect.any(String), id },
      ref: `https://api.example.com/hooks/events/${id}`,
    }),
  },
  template: {
    fields: { template: '{"text": "{{data.title}}", "id": "{{id}}", "n": {{data.n}}}' },
    body: (id) => ({ text: TITLE, id, n: 7 }),
  },
};

describe.each(sqliteAndPostgres)('bodies of its own on $database', ({ create }) => {
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let api: Api;

  beforeAll(async () => {
    store = await create();
    receiver = await ScriptedReceiver.start();
    api = await startApi('express', {
      store,
      thorn: {
        events,
        clock: MovableClock,
        recipients: LOOPBACK_RECIPIENTS,
        dispatch: outbox({ pollInterval: 25, retentionDays: 9, expunge: { payloadDays: 2 } }),
        retries: { schedule: [1000], jitter: 0 },
        shapes: { templates: true, url: 'https://api.example.com/hooks' },
      },
      // Each subscriber is challenged, and the clock stands still.
      api: { ...owners, challenge: true, limits: { testsPerMinute: 100 } },
    });
    receiver.otherwise(echo);
  });
  afterEach(async () => {
    for (const { id } of (await api.subscribers.list({}, 'any')).items) {
      await api.subscribers.delete(id, 'any');
    }
    receiver.clear();
    receiver.otherwise(echo);
  });
  afterAll(async () => {
    await api.app.close();
    await receiver.stop();
    await store.drop();
  });

  const advance = (milliseconds: number) => api.app.get<MovableClock>(Clock).advance(milliseconds);
  const send = () => api.app.get(WebhookDispatcher).send('note.added', DATA);
  /** Subscribes with a field of its own, at a path of its own. */
  async function subscribe(path: string, fields: object) {
    const body = { url: new URL(`/${path}`, receiver.url).href, events: ['note.*'], ...fields };
    const answer = await api.send('POST', '/hooks', { body });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    const { id, secret, state } = answer.body as Record<'id' | 'secret' | 'state', string>;
    return { id, secret, state };
  }
  /** The deliveries of the subscribers that are there, once so many have a status. */
  const finished = (status: DeliveryStatus, count: number, meanwhile = () => {}) =>
    vi.waitFor(async () => {
      meanwhile();
      const { items } = await api.app.get(Deliveries).list({ status, limit: 100 }, 'any');
      const { items: subscribers } = await api.subscribers.list({}, 'any');
      const mine = new Set(subscribers.map(({ id }) => id));
      const found = items.filter(({ subscriberId }) => mine.has(subscriberId));
      expect(found).toHaveLength(count);
      return found;
    }, PATIENCE);
  const at = (path: string) =>
    receiver.received.filter((one) => one.path === `/${path}` && one.event === 'note.added');

  it('stay the same on each attempt: the first, a retry, one by hand, with all that failed and a backfill', async () => {
    const made = new Map<string, { readonly id: string; readonly secret: string }>();
    for (const [path, { fields }] of Object.entries(SHAPES)) {
      made.set(path, await subscribe(path, fields));
    }
    receiver.otherwise(500);
    const { id: message } = await send();
    await receiver.waitFor(() => Object.keys(SHAPES).every((path) => at(path).length === 1));
    const failed = await finished('failed', 3, () => advance(1000));
    for (const { id } of failed) {
      expect((await api.send('POST', `/hooks/deliveries/${id}/retry`, { body: {} })).status).toBe(
        202,
      );
    }
    // A retry by hand begins the schedule again.
    await finished('failed', 3, () => advance(1000));
    // What was resent within the last minute is left out.
    advance(60_000);
    receiver.otherwise(204);
    const since = new Date(api.app.get(Clock).now() - DAY).toISOString();
    const until = new Date(api.app.get(Clock).now() + DAY).toISOString();
    for (const { id } of made.values()) {
      const recovered = await api.send('POST', `/hooks/${id}/recover`, { body: { since, until } });
      expect(recovered.body).toMatchObject({ scheduled: 1 });
    }
    await finished('succeeded', 3);
    for (const { id } of made.values()) {
      await api.send('POST', `/hooks/${id}/disable`, { body: {} });
    }
    const { id: missed } = await send();
    // Fanned out while all of them are disabled: a backfill finds messages that have been.
    await vi.waitFor(async () => {
      expect(await api.app.get(Deliveries).stats()).toMatchObject({ pendingMessages: 0 });
    }, PATIENCE);
    for (const { id } of made.values()) {
      await api.send('POST', `/hooks/${id}/enable`, { body: {} });
      const body = { since };
      const backfilled = await api.send('POST', `/hooks/${id}/backfill`, { body });
      expect(backfilled.body).toMatchObject({ scheduled: 1 });
    }
    await finished('succeeded', 6);

    for (const [path, { body }] of Object.entries(SHAPES)) {
      const { secret } = made.get(path)!;
      const attempts = at(path);
      expect(attempts).toHaveLength(6);
      expect(attempts.every((one) => one.isSignedWith(secret))).toBe(true);
      const bodies = attempts.map((one) => one.body.toString());
      expect(new Set(bodies.slice(0, 5)).size).toBe(1);
      expect(JSON.parse(bodies[0]!)).toEqual(body(message));
      expect(JSON.parse(bodies[5]!)).toEqual(body(missed));
    }
  });

  it('lead to a message that is there until its body is dropped, and until it is removed', async () => {
    const { id, secret } = await subscribe('thin', SHAPES['thin']!.fields);
    const { id: message } = await send();
    await receiver.waitFor(() => at('thin').length === 1);
    await finished('succeeded', 1);
    const headers = { 'hook-subscription': id, authorization: `Bearer ${secret}` };
    const read = async () => {
      const answer = await api.send('GET', `/hooks/events/${message}`, { as: 'nobody', headers });
      const owners = await api.send('GET', `/hooks/events/${message}`);
      expect(owners.status).toBe(answer.status);
      return answer;
    };
    expect(await read()).toMatchObject({ status: 200, body: { data: DATA } });

    advance(3 * DAY);
    await api.app.get(Maintenance).prune();
    const dropped = await read();
    expect(dropped.status).toBe(409);
    expect(dropped.body.type).toMatch(/message-expunged$/);
    advance(8 * DAY);
    await api.app.get(Maintenance).prune();
    expect((await read()).status).toBe(404);
  });

  it.each(Object.entries(SHAPES))(
    'do not keep an endpoint from answering its challenge: %s',
    async (path, { fields }) => {
      expect(await subscribe(path, fields)).toMatchObject({ state: 'active' });
      const challenge = receiver.received.find(({ event }) => event === 'thorn.challenge')!;
      expect(JSON.parse(challenge.body.toString())).toMatchObject({
        data: { token: expect.any(String) },
      });
    },
  );

  it.each<[chat: keyof typeof CHAT_TEMPLATES, body: object]>([
    [
      'slack',
      {
        text: 'note.added',
        blocks: [
          {
            type: 'section',
            text: { type: 'plain_text', text: `note.added: ${JSON.stringify(DATA)}` },
          },
        ],
      },
    ],
    [
      'discord',
      {
        content: 'note.added',
        embeds: [{ description: JSON.stringify(DATA) }],
        allowed_mentions: { parse: [] },
      },
    ],
    [
      'teams',
      {
        type: 'message',
        attachments: [
          {
            contentType: 'application/vnd.microsoft.card.adaptive',
            content: {
              ...{ type: 'AdaptiveCard', version: '1.4' },
              body: [
                { type: 'TextBlock', weight: 'bolder', text: 'note.added' },
                { type: 'TextBlock', wrap: true, text: JSON.stringify(DATA) },
              ],
            },
          },
        ],
      },
    ],
  ])(
    'are those of %s with the ready template, and with a field in place of the data',
    async (chat, body) => {
      const template = CHAT_TEMPLATES[chat];
      await subscribe('ready', { template });
      await subscribe('field', { template: template.replace('{{data}}', '{{data.title}}') });
      await send();
      await receiver.waitFor(() => at('ready').length === 1 && at('field').length === 1);

      const [ready, field] = [at('ready')[0]!, at('field')[0]!];
      expect(ready.headers['content-type']).toBe('application/json');
      expect(JSON.parse(ready.body.toString())).toEqual(body);
      const text = JSON.stringify(body).replace(
        JSON.stringify(JSON.stringify(DATA)).slice(1, -1),
        JSON.stringify(TITLE).slice(1, -1),
      );
      expect(JSON.parse(field.body.toString())).toEqual(JSON.parse(text));
    },
  );
});

/** Answers a challenge with its token, and anything else with 204. */
function echo({ event, body }: ReceivedWebhook) {
  if (event !== 'thorn.challenge') return 204;
  const { data } = JSON.parse(body.toString()) as { data?: { token?: string } };
  return { body: data?.token ?? 'no token' };
}
