import 'reflect-metadata';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineEvents, WebhookDispatcher, WebhookEvent, Webhooks } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import type { TestDatabase } from '../support/databases.js';
import { PAIRS } from '../support/places.js';
import { Receiver } from '../support/receiver.js';

@Entity()
@Webhooks<Product>({ payload: ({ id, name, price }) => ({ id, name, price }) })
@WebhookEvent<Product>('product.created', { on: 'create' })
@WebhookEvent<Product>('product.changed', { on: 'change' })
class Product {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar' })
  name!: string;

  @Column({ type: 'int' })
  price!: number;

  @Column({ type: 'int' })
  stock!: number;

  @Column({ type: 'varchar', select: false, default: '' })
  note!: string;
}

const events = defineEvents({
  'price.moved': { description: 'A price has moved', changed: ['net', 'gross'] },
  'price.noted': { description: 'Somebody has noted a price' },
});

describe.each(PAIRS)('changed and trigger on $database with $platform', (pair) => {
  let api: Api;
  let database: TestDatabase;
  let receiver: Receiver;
  let fixed: Receiver;
  let products: DataSource['manager'];

  beforeAll(async () => {
    database = await pair.create();
    fixed = await Receiver.start();
    const store = { ...database, options: { ...database.options, entities: [Product] } };
    api = await startApi(pair.platform, {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        events,
        subscribers: { 'product.changed': { url: fixed.url, changed: ['stock'] } },
      },
    });
    products = api.app.get(DataSource).manager;
  });

  afterAll(async () => {
    await api?.app.close();
    await database?.drop();
    await fixed?.stop();
  });

  beforeEach(async () => void (receiver = await Receiver.start()));
  afterEach(async () => {
    for (const { id } of (await api.subscribers.list({}, 'any')).items) {
      await api.subscribers.delete(id, 'any');
    }
    fixed.requests.length = 0;
    await receiver.stop();
  });

  const subscribe = async (path: string, body: object) => {
    const answer = await api.send('POST', '/hooks', {
      body: { url: receiver.url + path, ...body },
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.body as { readonly id: string; readonly changed: unknown };
  };
  const arrived = () =>
    receiver.requests.map(({ path, body }) => [path, JSON.parse(body.toString()).trigger]).sort();

  it('sends an update to subscribers of one of its changed fields, and says which changed', async () => {
    const changed = { events: ['product.changed'], changed: ['price', 'stock'] };
    expect((await subscribe('/some', changed)).changed).toEqual(['price', 'stock']);
    await subscribe('/all', { events: ['product.*'] });
    const made = { name: 'Lamp', price: 5, stock: 1, note: '' };
    const product = await products.save(Product, made);
    await products.save(Product, { id: product.id, name: 'Torch' });
    await receiver.waitFor(2);
    await products.save(Product, { id: product.id, name: 'Bulb', stock: 2 });
    await products.update(Product, { id: product.id }, { price: 6, note: 'secret' });
    await receiver.waitFor(6);
    await fixed.waitFor(1);

    expect(arrived()).toEqual(
      [
        ['/hooks/all', undefined],
        ['/hooks/all', { changed: ['name'] }],
        ['/hooks/all', { changed: ['name', 'stock'] }],
        ['/hooks/all', { changed: ['price'] }],
        ['/hooks/some', { changed: ['name', 'stock'] }],
        ['/hooks/some', { changed: ['price'] }],
      ].sort(),
    );
    expect(fixed.requests.map(({ body }) => JSON.parse(body.toString()))).toEqual([
      {
        type: 'product.changed',
        timestamp: expect.stringMatching(/Z$/),
        trigger: { changed: ['name', 'stock'] },
        data: { id: product.id, name: 'Bulb', price: 5 },
      },
    ]);
  });

  it('takes the changed fields of a message that is sent by hand', async () => {
    await subscribe('/net', { events: ['price.moved'], changed: ['net'] });
    const dispatcher = api.app.get(WebhookDispatcher);
    await dispatcher.send('price.moved', {}, { changed: ['gross'] });
    await dispatcher.send('price.moved', {});
    await dispatcher.send('price.moved', {}, { changed: ['gross', 'net'] });
    await receiver.waitFor(1);

    expect(arrived()).toEqual([['/hooks/net', { changed: ['gross', 'net'] }]]);
    await expect(dispatcher.send('price.moved', {}, { changed: ['nett'] })).rejects.toThrow(
      'changed must not hold nett, which the declaration of price.moved does not name; it names net, gross',
    );
  });

  it('finds for a backfill what has changed', async () => {
    await subscribe('/all', { events: ['price.moved'] });
    const given = { events: ['price.moved'], changed: ['net'], enabled: false };
    const { id } = await subscribe('/late', given);
    const dispatcher = api.app.get(WebhookDispatcher);
    await dispatcher.send('price.moved', {}, { changed: ['gross'] });
    await dispatcher.send('price.moved', {}, { changed: ['net'] });
    await receiver.waitFor(2);
    await api.send('PATCH', `/hooks/${id}`, { body: { enabled: true } });
    const body = { since: new Date(Date.now() - 60_000).toISOString() };
    const backfill = () => api.send('POST', `/hooks/${id}/backfill`, { body });
    // A message whose deliveries are still under way counts later.
    await expect.poll(async () => (await backfill()).body.scheduled, { timeout: 20_000 }).toBe(1);
    await receiver.waitFor(3);

    expect(arrived().filter(([path]) => path === '/hooks/late')).toEqual([
      ['/hooks/late', { changed: ['net'] }],
    ]);
  });
});
