import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineEvents, InvalidInputError, WebhookDispatcher } from '../../lib/index.js';
import { type Api, platforms, startApi } from '../support/apps/api-app.js';
import { createDatabase } from '../support/databases.js';

const number = { type: 'number' };
const events = defineEvents({
  'order.paid': {
    description: 'An order was paid',
    schema: { type: 'object', properties: { total: number, state: {} } },
  },
  'order.refunded': {
    description: 'An order was refunded',
    schema: { type: 'object', properties: { refund: number } },
  },
  'order.noted': { description: 'An order has a note' },
});
const SCHEMAS = { events: ['order.paid', 'order.refunded'] };
const url = 'https://example.com/in';

describe.each(platforms)('filters of subscribers on %s', (platform) => {
  let api: Api;
  beforeAll(async () => void (api = await startApi(platform, { thorn: { events } })));
  afterAll(() => api.app.close());
  const create = (body: object) => api.send('POST', '/hooks', { body: { url, ...body } });

  it.each([
    [{ total: { greater: 10 } }, 'total.greater is not an operator; did you mean gt?'],
    [{ total: { above: 10 } }, 'total.above is not an operator; the operators are eq, ne, gt'],
    [{ totl: 10 }, 'totl is not a field of the data. Valid fields: total, state, refund'],
    [{ gt: 'abc' }, 'gt is an operator, and must stand below a field'],
    [{ total: { gt: 'abc' } }, 'total.gt can never hold: the field is a number'],
    [{ OR: [{ total: 5 }, { NOT: { totl: 5 } }] }, 'totl is not a field of the data'],
  ])('rejects %j, and stores nothing', async (filter, reason) => {
    const answer = await create({ ...SCHEMAS, filter });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', errors: [{ field: 'filter' }] },
    });
    expect(answer.body.errors[0].reason).toContain(reason);
    await expect(api.subscribers.create({ url, ...SCHEMAS, filter })).rejects.toThrow(
      InvalidInputError,
    );
    expect((await api.subscribers.list({ limit: 10 }, 'any')).items).toEqual([]);
  });

  it('rejects unknown operators on events without a schema too', async () => {
    for (const filter of [
      { total: { greater: 10 } },
      { gt: 'abc' },
      { total: { $gt: 1 } },
      { total: { '>=': 1 } },
      { state: { regex: '^a' } },
      { state: { not: 'PAID' } },
      { state: { startWith: 'P' } },
      { state: { contain: 'P' } },
      { total: { geq: 1 } },
      { note: { isNotNull: true } },
    ]) {
      const answer = await create({ event: 'order.noted', filter });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'filter' }] } });
    }
  });

  it('stores a filter that it cannot check, with a warning', async () => {
    const filter = { totl: 5, total: { gt: 5 } };
    const created = await create({ event: 'order.*', filter });
    expect(created).toMatchObject({
      status: 201,
      body: {
        filter,
        warnings: [
          {
            field: 'filter',
            code: 'unchecked-paths',
            reason:
              'cannot be checked for totl, since order.noted has no schema; a field that is missing has no value',
            data: { paths: ['totl'] },
          },
        ],
      },
    });
    const { self } = created.body;
    const changed = await api.send('PATCH', self, { body: { filter: { total: 5 } } });
    expect(changed).toMatchObject({ status: 200, body: { warnings: [] } });
    expect((await api.send('GET', self)).body).not.toHaveProperty('warnings');
    await api.send('DELETE', self);
  });

  it('checks a change of the filter or of the events against both', async () => {
    const { body } = await create({ event: 'order.noted', filter: { text: 'x' } });
    const narrowed = await api.send('PATCH', body.self, { body: SCHEMAS });
    expect(narrowed).toMatchObject({ status: 400, body: { errors: [{ field: 'filter' }] } });
    const excluded = await api.send('PATCH', body.self, {
      body: { events: ['order.*'], exclude: ['order.noted'] },
    });
    expect(excluded.status).toBe(400);
    expect((await api.send('GET', body.self)).body.events).toEqual(['order.noted']);
    const both = { body: { ...SCHEMAS, filter: { refund: { gt: 5 } } } };
    expect((await api.send('PATCH', body.self, both)).body).toMatchObject({ warnings: [] });
    await api.send('DELETE', body.self);
  });
});

it('previews no events that cannot be subscribed to', async () => {
  const store = await createDatabase('memory');
  const hidden = defineEvents({ 'internal.fraud': { description: 'For the application alone' } });
  const subscribers = { '*': 'https://example.com/all' };
  const api = await startApi('express', {
    store,
    thorn: { events: [events, hidden], eventTypes: ['order.*'], subscribers },
  });
  for (const event of ['order.paid', 'internal.fraud']) {
    await api.app.get(WebhookDispatcher).send(event, { total: 5 });
  }
  const preview = (body: object) => api.send('POST', '/hooks/filter-preview', { body });
  expect((await preview({})).body).toMatchObject({ items: [{ event: 'order.paid' }], passed: 1 });
  const text = JSON.stringify((await preview({ filter: { totl: 5 } })).body);
  expect(text).toContain('order.noted has no schema');
  expect(text).not.toContain('internal');
  await api.app.close();
  await store.drop();
});
