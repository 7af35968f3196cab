import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Deliveries, outbox, type SendOptions, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { AnybodyGuard, type Api, startApi } from '../support/apps/api-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { EVERY_DIALECT } from '../support/places.js';

interface Item {
  readonly id: string;
  readonly subject: string | null;
}

const HTML = '<img src=x onerror="alert(1)">';

describe.each(EVERY_DIALECT)('the subject of a delivery on %j', ({ kind, ...more }) => {
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let api: Api;
  let count = 0;

  beforeAll(async () => {
    const made = await createDatabase(kind);
    store = { ...made, options: { ...made.options, ...more } as TestDatabase['options'] };
    receiver = await ScriptedReceiver.start();
    api = await start({ bodies: true });
    await api.subscribers.create({ url: receiver.url, events: ['*'], owner: 'alice' });
  });
  afterAll(async () => {
    await api.app.close();
    await receiver.stop();
    await store.drop();
  });

  const start = (operators: { readonly bodies?: boolean }, isSecond = false) => {
    // TypeORM would make the column of bodies anew, where MySQL's driver meets MariaDB.
    const options = { ...store.options, synchronize: !isSecond } as TestDatabase['options'];
    return startApi('express', {
      store: { ...store, options },
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        operatorApi: { guards: [AnybodyGuard], ...operators },
        ...(isSecond && { dispatch: outbox({ worker: false }) }),
      },
    });
  };

  const list = async (query: string, path = '/hooks/deliveries'): Promise<readonly Item[]> => {
    const items: Item[] = [];
    let after = '';
    do {
      const answer = await api.send('GET', `${path}?limit=100&${query}${after}`);
      expect(answer.status).toBe(200);
      items.push(...answer.body.items);
      after = answer.body.next === null ? '' : `&after=${answer.body.next}`;
    } while (after !== '');
    return items;
  };
  const found = async (value: string) =>
    (await list(`subject=${encodeURIComponent(value)}`)).map(({ id }) => id);
  /** Sends an event. @returns its delivery, once it has ended */
  const send = async (data: object, options: SendOptions = {}): Promise<Item> => {
    count += 1;
    await api.app.get(WebhookDispatcher).send('order.paid', data, { owner: 'alice', ...options });
    return vi.waitFor(async () => {
      const items = await list('status=succeeded');
      expect(items).toHaveLength(count);
      return items[0]!;
    });
  };

  it.each<[string, object, SendOptions, string | null]>([
    ['the id of the data', { id: 7 }, { ref: '/orders/7', orderBy: 'order:7' }, '7'],
    ['an id that is a text', { id: 'A-7' }, {}, 'A-7'],
    [
      'an id beyond the numbers of JavaScript',
      { id: 12345678901234567890n },
      {},
      '12345678901234567890',
    ],
    ['an id with signs of JSON', { id: `"\\${HTML}` }, {}, `"\\${HTML}`],
    ['an id of other scripts', { id: 'طلب ٧ \u202E🎉' }, {}, 'طلب ٧ \u202E🎉'],
    ['the order key', { total: 5 }, { ref: '/orders/7', orderBy: 'order:7' }, 'order:7'],
    ['the ref', { total: 5 }, { ref: '/orders/7' }, '/orders/7'],
    ['nothing', { total: 5 }, {}, null],
    ['the ref when the id is an object', { id: { a: 1 } }, { ref: '/a' }, '/a'],
    ['the ref when the id is null', { id: null }, { ref: '/a' }, '/a'],
    ['the ref when the id is empty', { id: '' }, { ref: '/a' }, '/a'],
    ['the id of a large body', { id: 7, text: 'x'.repeat(200_000) }, {}, '7'],
    ['the id of a class of its own', { id: { toJSON: () => 'id-7' } }, {}, 'id-7'],
    [
      "the ref when only the data's toJSON would return an id",
      { toJSON: () => ({ id: 'id-7' }) },
      { ref: '/a' },
      '/a',
    ],
    ['an id of 255 characters', { id: 'é'.repeat(255) }, {}, 'é'.repeat(255)],
    ['the ref when the id is longer', { id: 'é'.repeat(256) }, { ref: '/a' }, '/a'],
    ['the ref when the id has NUL', { id: '7\0' }, { ref: '/a' }, '/a'],
    ['the ref when the id has half of a character', { id: '7\uD83D' }, { ref: '/a' }, '/a'],
    ['nothing when the ref is too long', {}, { ref: `/${'a'.repeat(255)}` }, null],
    ['what the caller names', { id: 7 }, { subject: 'A-9', orderBy: 'order:7' }, 'A-9'],
    ['a number that the caller names', { id: 7 }, { subject: 9 }, '9'],
    [
      'a bigint that the caller names',
      { id: 7 },
      { subject: 12345678901234567890n },
      '12345678901234567890',
    ],
    ['the id when the caller names null', { id: 7 }, { subject: null }, '7'],
  ])('is %s', async (_name, data, options, subject) => {
    const sent = await send(data, options);
    expect(sent.subject).toBe(subject);
    const { body: details } = await api.send('GET', `/hooks/deliveries/${sent.id}`);
    expect(details.subject).toBe(subject);
    const shown = await api.send('GET', `/hooks-operator/deliveries/${sent.id}`);
    expect(shown.body.subject).toBe(subject);
  });

  it.each<[unknown]>([[''], ['a'.repeat(256)], ['7\0'], ['7\uD83D'], [Number.NaN], [{}], [true]])(
    'cannot be %j',
    async (subject) => {
      const options = { owner: 'alice', subject } as SendOptions;
      const refused = api.app.get(WebhookDispatcher).send('order.paid', {}, options);
      await expect(refused).rejects.toMatchObject({ field: 'subject' });
    },
  );

  it('is not known once the body was dropped or the message is gone', async () => {
    const dropped = await send({ id: 7 }, { ref: '/orders/dropped' });
    const gone = await send({ id: 'gone' });
    const rows = api.app.get(DataSource);
    const message = async ({ id }: Item) =>
      (await api.send('GET', `/hooks/deliveries/${id}`)).body.messageId.slice(4);
    await rows.query(
      `UPDATE thorn_messages SET body = NULL, subject = NULL WHERE id = '${await message(dropped)}'`,
    );
    await rows.query(`DELETE FROM thorn_messages WHERE id = '${await message(gone)}'`);
    const items = await list('');
    const subjectOf = ({ id }: Item) => items.find((one) => one.id === id)!.subject;
    expect([subjectOf(dropped), subjectOf(gone)]).toEqual([null, null]);
    expect(await found('gone')).toEqual([]);
  });

  it('is found by exactly what was typed', async () => {
    const sent: Record<string, string> = {};
    for (const [name, data, options] of [
      ['number', { id: 471 }, {}],
      ['text', { id: '471' }, {}],
      ['key', {}, { orderBy: '471' }],
      ['ref', {}, { ref: '471' }],
      ['named', { id: 5 }, { subject: 471 }],
      ['longer', { id: 1471, a: 471 }, { orderBy: '4711', ref: '/471' }],
      ['fraction', { id: 471.5 }, {}],
      ['deep', { id: 'Zoë "Q" \\ 🎉' }, {}],
      ['case', {}, { orderBy: 'Key-A', ref: '/Ref-A' }],
      ['html', { id: HTML }, {}],
      ['rtl', { id: 'شحنة' }, {}],
      ['percent', { id: '100%_' }, {}],
    ] as const) {
      sent[name] = (await send(data, options)).id;
    }
    const ids = (...names: string[]) => names.map((name) => sent[name]).reverse();
    expect(await found('471')).toEqual(ids('number', 'text', 'key', 'ref', 'named'));
    expect(await found('47')).toEqual([]);
    expect(await found('471.5')).toEqual(ids('fraction'));
    expect(await found('Key-A')).toEqual(ids('case'));
    expect(await found('key-a')).toEqual([]);
    expect(await found('/Ref-A')).toEqual([]);
    expect(await found('Zoë "Q" \\ 🎉')).toEqual(ids('deep'));
    expect(await found(HTML)).toEqual(ids('html'));
    expect(await found('شحنة')).toEqual(ids('rtl'));
    expect(await found('100%_')).toEqual(ids('percent'));
    expect(await found('100%')).toEqual([]);
    // Together with other filters, and for operators.
    expect(await list('subject=471&status=failed')).toEqual([]);
    expect(await list('subject=471&event=order.*&status=succeeded')).toHaveLength(5);
    const operators = await list('subject=471', '/hooks-operator/deliveries');
    expect(operators.map(({ id }) => id)).toEqual(ids('number', 'text', 'key', 'ref', 'named'));
    // Others see nothing of it.
    const others = await api.send('GET', '/hooks/deliveries?subject=471', { as: 'bob' });
    expect(others.body.items).toEqual([]);
  });

  it('is kept from operators who see no bodies', async () => {
    const { id } = await send({ id: 'secret-7' }, { ref: '/secret-7', orderBy: 'secret-7' });
    const other = await start({}, true);
    try {
      for (const path of ['', `/${id}`]) {
        const { status, body } = await other.send('GET', `/hooks-operator/deliveries${path}`);
        expect(status).toBe(200);
        expect(JSON.stringify(body)).not.toContain('secret-7');
        expect(body).toMatchObject(path === '' ? { items: expect.any(Array) } : { subject: null });
      }
      const search = await other.send('GET', '/hooks-operator/deliveries?subject=secret-7');
      expect(search.status).toBe(400);
      expect(search.body.errors).toEqual([
        {
          field: 'subject',
          reason: expect.stringContaining('operatorApi.bodies'),
          code: 'invalid',
        },
      ]);
      // Owners see it all the same.
      const own = await other.send('GET', `/hooks/deliveries/${id}`);
      expect(own.body.subject).toBe('secret-7');
    } finally {
      await other.app.close();
    }
  });

  it('is searched by the application', async () => {
    const { id } = await send({ id: 'by-application' });
    const page = await api.app.get(Deliveries).list({ subject: 'by-application' }, 'any');
    expect(page.items.map((one) => one.id)).toEqual([id]);
  });
});
