import { type INestApplication, Injectable, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Webhook } from 'standardwebhooks';
import { Column, DataSource, DeleteDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Attempt,
  InvalidInputError,
  type RecipientRules,
  Subscribers,
  ThornConfigurationError,
  WebhookDispatcher,
  WebhookEvent,
  Webhooks,
} from '../../lib/index.js';
import { DispatchStrategy, SubscriberRepository } from '../../lib/extending/index.js';
import { createBlogDatabase, loopback, startBlog } from '../support/apps/blog.js';
import { Receiver } from '../support/receiver.js';
import { RecordingInlineStrategy } from '../support/recording-inline.strategy.js';

// Before the classes below: settings may name it as it is.
const receiver = await Receiver.start();
/** At a port that single events may allow. */
const elsewhere = await Receiver.start();
const own = (path: string) => `${receiver.url}/${path}`;
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
let stamp = 0;

/** Settings that mean the same on entities and on methods. */
const settings = {
  // Longer than a request is on its way.
  timed: { timeout: 1_000 },
  oneWay: { keepAlive: false },
  refused: { recipients: { allowCidrs: [] } },
  allowed: { recipients: loopback, subscribers: `${elsewhere.url}/allowed` },
  // As an answer: a constant that is refused would stop the start.
  notAllowed: { subscribers: () => `${elsewhere.url}/not-allowed` },
  toUrl: { subscribers: own('shared') },
  toUrlToo: { subscribers: own('shared') },
  toObject: { subscribers: { url: own('signed'), secret } },
  toWhoever: {
    subscribers: (event: string, owner: string | null) => own(`${event}/${owner ?? 'nobody'}`),
  },
  toMany: {
    subscribers: async function* () {
      yield own('one');
      yield [{ url: own('two') }, [own('one'), () => own('two')], null];
      yield { url: own('two'), secret };
    },
  },
  withData: { requestData: { kind: 'from the event', version: 2 } },
  withFreshData: { requestData: () => ({ stamp: ++stamp }) },
  withHeaders: { headers: { 'X-Depot': 'north' } },
  withRef: { ref: '/parcels/{name}' },
  withSubject: { subject: 'parcel {name}' },
  retried: { retry: { max: 3, delay: 1_000 } },
  once: { retry: false as const },
};
type Setting = keyof typeof settings | 'plain' | 'withHeadersOfRow' | 'withWrongData';

const data = ({ kind, name }: Fields) => ({ kind, name });
const owner = ({ owner }: Fields) => owner ?? undefined;
const headersOf = ({ name }: Fields) => ({ 'X-Name': name });

const on = <Key extends keyof typeof settings>(kind: Key) => ({
  on: 'create' as const,
  when: { kind },
  ...settings[kind],
});

interface Fields {
  readonly kind: string;
  readonly name: string;
  readonly owner?: string | null;
}

@Entity()
@Webhooks<Parcel>({ payload: data })
@WebhookEvent<Parcel>('parcel.plain', { on: 'create', when: { kind: 'plain' } })
@WebhookEvent<Parcel>('parcel.timed', on('timed'))
@WebhookEvent<Parcel>('parcel.oneWay', on('oneWay'))
@WebhookEvent<Parcel>('parcel.refused', on('refused'))
@WebhookEvent<Parcel>('parcel.allowed', on('allowed'))
@WebhookEvent<Parcel>('parcel.notAllowed', on('notAllowed'))
@WebhookEvent<Parcel>('parcel.toUrl', on('toUrl'))
@WebhookEvent<Parcel>('parcel.toUrlToo', on('toUrlToo'))
@WebhookEvent<Parcel>('parcel.toObject', on('toObject'))
@WebhookEvent<Parcel>('parcel.toWhoever', {
  on: 'create',
  when: { kind: 'toWhoever' },
  owner: 'owner',
  ...settings.toWhoever,
})
@WebhookEvent<Parcel>('parcel.toMany', on('toMany'))
@WebhookEvent<Parcel>('parcel.withData', on('withData'))
@WebhookEvent<Parcel>('parcel.withFreshData', on('withFreshData'))
@WebhookEvent<Parcel>('parcel.withWrongData', {
  on: 'create',
  when: { kind: 'withWrongData' },
  ...settings.withData,
  payload: ({ name }) => name,
})
@WebhookEvent<Parcel>('parcel.withHeaders', on('withHeaders'))
@WebhookEvent<Parcel>('parcel.withHeadersOfRow', {
  on: 'create',
  when: { kind: 'withHeadersOfRow' },
  headers: headersOf,
})
@WebhookEvent<Parcel>('parcel.withRef', on('withRef'))
@WebhookEvent<Parcel>('parcel.withSubject', on('withSubject'))
@WebhookEvent<Parcel>('parcel.retried', on('retried'))
@WebhookEvent<Parcel>('parcel.once', on('once'))
@WebhookEvent<Parcel>('parcel.broken', {
  on: 'create',
  when: { kind: 'broken' },
  payload: () => {
    throw new Error('cannot tell');
  },
})
@WebhookEvent<Parcel>('parcel.strict', {
  on: 'create',
  when: { kind: 'strict' },
  propagateErrors: true,
  payload: () => {
    throw new Error('cannot tell');
  },
})
@WebhookEvent<Parcel>('parcel.gone', { on: 'delete' })
@WebhookEvent<Parcel>('parcel.erased', { on: 'delete', softRemoval: false })
@WebhookEvent<Parcel>('parcel.back', { on: 'create', when: { kind: 'soft' } })
@WebhookEvent<Parcel>('parcel.new', { on: 'create', when: { kind: 'soft' }, softRemoval: false })
class Parcel implements Fields {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  kind!: string;

  @Column({ default: 'a parcel' })
  name!: string;

  @Column({ type: 'varchar', nullable: true })
  owner!: string | null;

  @DeleteDateColumn()
  deletedAt!: Date | null;
}

@Entity()
@Webhooks<Crate>({
  timeout: 9_000,
  keepAlive: false,
  subscribers: own('crates'),
  requestData: { v: 1 },
})
@WebhookEvent<Crate>('crate.packed', { on: 'create' })
@WebhookEvent<Crate>('crate.shipped', { on: 'create', timeout: 15_000 })
class Crate {
  @PrimaryGeneratedColumn()
  id!: number;
}

@Injectable()
class Depot implements Record<Setting, (fields: Fields) => Promise<Fields>> {
  @WebhookEvent('depot.plain', { data })
  async plain(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.timed', { data, ...settings.timed })
  async timed(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.oneWay', { data, ...settings.oneWay })
  async oneWay(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.refused', { data, ...settings.refused })
  async refused(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.allowed', { data, ...settings.allowed })
  async allowed(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.notAllowed', { data, ...settings.notAllowed })
  async notAllowed(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.toUrl', { data, ...settings.toUrl })
  async toUrl(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.toUrlToo', { data, ...settings.toUrlToo })
  async toUrlToo(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.toObject', { data, ...settings.toObject })
  async toObject(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.toWhoever', { data, owner, ...settings.toWhoever })
  async toWhoever(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.toMany', { data, ...settings.toMany })
  async toMany(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.withData', { data, ...settings.withData })
  async withData(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.withFreshData', { data, ...settings.withFreshData })
  async withFreshData(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.withWrongData', { data: ({ name }: Fields) => name, ...settings.withData })
  async withWrongData(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.withHeaders', { data, ...settings.withHeaders })
  async withHeaders(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.withHeadersOfRow', { data, headers: headersOf })
  async withHeadersOfRow(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.withRef', { data, ...settings.withRef })
  async withRef(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.withSubject', { data, ...settings.withSubject })
  async withSubject(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.retried', { data, ...settings.retried })
  async retried(fields: Fields): Promise<Fields> {
    return fields;
  }

  @WebhookEvent('depot.once', { data, ...settings.once })
  async once(fields: Fields): Promise<Fields> {
    return fields;
  }
}

@Module({ providers: [Depot], exports: [Depot] })
class DepotModule {}

async function start(recipients: RecipientRules): Promise<INestApplication> {
  const { options } = await createBlogDatabase('better-sqlite3');
  const thorn = { recipients, timeout: 20_000, dispatch: RecordingInlineStrategy };
  return (await startBlog(options, thorn, [TypeOrmModule.forFeature([Parcel, Crate]), DepotModule]))
    .app;
}

/** Makes an event happen. */
type Trigger = (setting: Setting, fields?: Partial<Fields>) => Promise<unknown>;

const kinds: [string, string, (app: INestApplication) => Trigger][] = [
  [
    'an entity',
    'parcel',
    (app) => (kind, fields) =>
      app.get(DataSource).manager.save(Parcel, { kind, name: 'a parcel', ...fields }),
  ],
  [
    'a method',
    'depot',
    (app) => (kind, fields) => app.get(Depot)[kind]({ kind, name: 'a parcel', ...fields }),
  ],
];

let app: INestApplication;
let watched: RecordingInlineStrategy;

beforeAll(async () => {
  app = await start(loopback);
  watched = app.get(DispatchStrategy);
});

beforeEach(() => {
  receiver.requests.length = 0;
  elsewhere.requests.length = 0;
  receiver.hold = undefined;
  watched.clear();
});

afterEach(() => watched.idle());

afterAll(async () => {
  await app?.close();
  await receiver.stop();
  await elsewhere.stop();
});

describe.each(kinds)('a setting of an event of %s', (_, prefix, triggerOf) => {
  let trigger: Trigger;
  let stored: string;

  /** The attempts of an event, once they are over. */
  const attempts = (setting: Setting, count = 1): Promise<readonly Attempt[]> =>
    watched.attemptsOf(`${prefix}.${setting}`, count);
  const paths = () => receiver.requests.map(({ path }) => path.replace('/hooks/', '')).sort();
  const subscribe = (...events: Setting[]) => subscribeAt(own('stored'), ...events);
  const subscribeAt = async (url: string, ...events: Setting[]) => {
    const patterns = events.map((event) => `${prefix}.${event}`);
    stored = (await app.get(Subscribers).create({ url, events: patterns })).id;
  };
  const unsubscribe = () => app.get(Subscribers).delete(stored, 'any');

  beforeAll(() => {
    trigger = triggerOf(app);
  });

  it('timeout: fails that event alone at a slow receiver', async () => {
    // Its own: on a busy machine the request that has timed out arrives late, or never.
    const slow = await Receiver.start();
    await subscribeAt(slow.url, 'plain', 'timed');
    let answer: () => void = () => undefined;
    slow.hold = new Promise((resolve) => (answer = resolve));

    await Promise.all([trigger('plain'), trigger('timed')]);
    const [timed] = await attempts('timed');
    expect(watched.attempts).toEqual([timed]);
    answer();
    const [plain] = await attempts('plain');
    await unsubscribe();
    await slow.stop();

    expect(timed).toMatchObject({ outcome: 'failed', status: null, error: { code: 'timeout' } });
    expect(timed!.duration).toBeGreaterThanOrEqual(995);
    // That of the module is 20 seconds.
    expect(timed!.duration).toBeLessThan(15_000);
    expect(plain).toMatchObject({ outcome: 'succeeded', status: 204 });
    expect(slow.events).toContain(`${prefix}.plain`);
  });

  it('keepAlive false: opens a connection for each request', async () => {
    await subscribe('plain', 'oneWay');
    const connectionsFor = async (setting: Setting) => {
      const before = receiver.connections;
      for (let count = 1; count <= 3; count++) {
        await trigger(setting);
        await attempts(setting, count);
      }
      return receiver.connections - before;
    };

    const shared = await connectionsFor('plain');
    const own = await connectionsFor('oneWay');
    await unsubscribe();

    expect(shared).toBeLessThanOrEqual(1);
    expect(own).toBe(3);
    const kept = receiver.requests.map(({ headers }) => headers.connection);
    expect(kept).toEqual([...Array(3).fill('keep-alive'), ...Array(3).fill('close')]);
  });

  it('recipients: refuses for one event an address that the module allows', async () => {
    await subscribe('plain', 'refused');
    await trigger('refused');
    await trigger('plain');
    const [[refused], [plain]] = [await attempts('refused'), await attempts('plain')];
    await unsubscribe();

    expect(refused).toMatchObject({ outcome: 'failed', error: { code: 'recipient-refused' } });
    expect(plain).toMatchObject({ outcome: 'succeeded' });
    expect(receiver.events).toEqual([`${prefix}.plain`]);
  });

  it('recipients: allows for one event an address that the module refuses, for stored and static subscribers', async () => {
    const strict = await start({ ...loopback, allowedPorts: [Number(new URL(receiver.url).port)] });
    const seen: RecordingInlineStrategy = strict.get(DispatchStrategy);
    const events = [`${prefix}.plain`, `${prefix}.allowed`];
    const url = `${elsewhere.url}/stored`;
    await expect(strict.get(Subscribers).create({ url, events })).rejects.toMatchObject({
      field: 'url',
    });
    // As one that was stored under other rules.
    const before = await app.get(Subscribers).create({ url, events });
    await app.get(Subscribers).delete(before.id, 'any');
    await strict.get(SubscriberRepository).create(before);

    await triggerOf(strict)('allowed');
    await triggerOf(strict)('plain');
    await seen.attemptsOf(events[1]!, 2);
    const [plain] = await seen.attemptsOf(events[0]!);
    await triggerOf(strict)('notAllowed');
    await strict.close();

    expect(plain).toMatchObject({ outcome: 'failed', error: { code: 'recipient-refused' } });
    expect(seen.messages.at(-1)).toMatchObject({ event: `${prefix}.notAllowed` });
    expect(seen.errors).toEqual([]);
    expect(elsewhere.requests.map(({ path }) => path).sort()).toEqual([
      '/hooks/allowed',
      '/hooks/stored',
    ]);
    expect(new Set(elsewhere.events)).toEqual(new Set([events[1]]));
  });

  it('subscribers: sends to a URL for each event that names it', async () => {
    await trigger('toUrl');
    await trigger('toUrlToo');
    await trigger('plain');
    await receiver.waitFor(2);
    await attempts('toUrlToo');

    expect(paths()).toEqual(['shared', 'shared']);
    expect(receiver.events.sort()).toEqual([`${prefix}.toUrl`, `${prefix}.toUrlToo`]);
    expect(receiver.requests[0]!.headers['webhook-signature']).toBeUndefined();
  });

  it('subscribers: signs with the secret of an object', async () => {
    await trigger('toObject');
    const [{ headers, body }] = (await receiver.waitFor(1)) as [(typeof receiver.requests)[0]];

    expect(paths()).toEqual(['signed']);
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual(
      receiver.json(),
    );
  });

  it('subscribers: calls a function with the event and its owner', async () => {
    await trigger('toWhoever', { owner: 'ada' });
    await receiver.waitFor(1);
    await trigger('toWhoever', { owner: null });
    await receiver.waitFor(2);

    expect(receiver.requests.map(({ path }) => path)).toEqual([
      `/hooks/${prefix}.toWhoever/ada`,
      `/hooks/${prefix}.toWhoever/nobody`,
    ]);
  });

  it('subscribers: reads nested generators, each URL and secret once', async () => {
    await trigger('toMany');
    await attempts('toMany', 3);

    expect(paths()).toEqual(['one', 'two', 'two']);
    const signed = receiver.requests.filter(({ headers }) => 'webhook-signature' in headers);
    expect(signed).toHaveLength(1);
    const ids = new Set(receiver.requests.map(({ headers }) => headers['hook-subscription']));
    expect(ids.size).toBe(3);
  });

  it('subscribers: keeps ids', async () => {
    await trigger('toUrl');
    await trigger('toUrl');
    await receiver.waitFor(2);

    const ids = receiver.requests.map(({ headers }) => headers['hook-subscription']);
    expect(ids[0]).toMatch(/^sub_static-/);
    expect(ids[1]).toBe(ids[0]);
  });

  it('requestData: is merged into the data, whose own keys win', async () => {
    await subscribe('withData', 'withFreshData');
    await trigger('withData');
    await receiver.waitFor(1);
    const first = ++stamp;
    await trigger('withFreshData');
    await trigger('withFreshData');
    await receiver.waitFor(3);
    await unsubscribe();

    expect(receiver.json(0).data).toEqual({ kind: 'withData', version: 2, name: 'a parcel' });
    const stamps = [1, 2].map(
      (index) => (receiver.json(index).data as { stamp: number }).stamp - first,
    );
    expect(stamps.sort()).toEqual([1, 2]);
  });

  it('requestData: drops only the event when its data is not an object', async () => {
    await subscribe('withWrongData', 'plain');
    await trigger('withWrongData');
    await trigger('plain');
    await receiver.waitFor(1);
    await unsubscribe();

    expect(watched.messages.map(({ event }) => event)).toEqual([`${prefix}.plain`]);
  });

  it('headers: accepts constants and functions of the message', async () => {
    await subscribe('withHeaders', 'withHeadersOfRow');
    await trigger('withHeaders');
    await receiver.waitFor(1);
    await trigger('withHeadersOfRow', { name: 'seven' });
    await receiver.waitFor(2);
    await unsubscribe();

    expect(receiver.requests[0]!.headers['x-depot']).toBe('north');
    expect(receiver.requests[1]!.headers['x-name']).toBe('seven');
  });

  it('headers: drops only the event when a header is one that the library sets', async () => {
    await subscribe('withHeadersOfRow');
    await trigger('withHeadersOfRow', { name: 'two\r\nlines' });
    await trigger('withHeadersOfRow', { name: 'one line' });
    await receiver.waitFor(1);
    await unsubscribe();

    expect(receiver.requests.map(({ headers }) => headers['x-name'])).toEqual(['one line']);
  });

  it('ref: resolves a template against the base URL', async () => {
    await subscribe('withRef');
    await trigger('withRef', { name: 'a/b c' });
    await receiver.waitFor(1);
    await unsubscribe();

    expect(receiver.json().ref).toBe('https://blog.example.com/parcels/a%2Fb%20c');
  });

  it('subject: names what the message is about', async () => {
    await trigger('withSubject', { name: 'a/b c' });

    expect(watched.messages.map(({ subject }) => subject)).toEqual(['parcel a/b c']);
  });

  it('retry: reaches the strategy with the message', async () => {
    for (const setting of ['retried', 'once', 'plain'] as const) await trigger(setting);

    expect(watched.messages.map(({ settings }) => settings)).toEqual([
      { retry: { max: 3, delay: 1_000 } },
      { retry: false },
      {},
    ]);
  });
});

describe('a setting of an event of an entity', () => {
  const parcels = () => app.get(DataSource).getRepository(Parcel);

  it('propagateErrors false: drops the event on an error, and saves the row', async () => {
    const parcel = await parcels().save({ kind: 'broken' });

    await expect(parcels().existsBy({ id: parcel.id })).resolves.toBe(true);
    expect(watched.messages).toEqual([]);
  });

  it('propagateErrors true: rolls the transaction back on an error', async () => {
    const saved = parcels().save({ kind: 'strict', name: 'never' });

    await expect(saved).rejects.toThrow('cannot tell');
    await expect(parcels().existsBy({ name: 'never' })).resolves.toBe(false);
    expect(watched.messages).toEqual([]);
  });

  it('softRemoval false: sends no event for a soft removal or a recovery', async () => {
    const parcel = await parcels().save({ kind: 'soft' });
    await parcels().softRemove(parcel);
    await parcels().recover(parcel);
    await parcels().remove(parcel);

    const events = watched.messages.map(({ event }) => event.replace('parcel.', ''));
    expect(events.slice(0, 2).sort()).toEqual(['back', 'new']);
    expect(events.slice(2, 4)).toEqual(['gone', 'back']);
    expect(events.slice(4).sort()).toEqual(['erased', 'gone']);
  });

  it('of one event overrides what its entity shares, key by key', async () => {
    await app.get(DataSource).manager.save(Crate, {});
    await watched.idle();

    const settingsOf = (name: string) =>
      watched.messages.find(({ event }) => event === name)!.settings;
    expect(settingsOf('crate.packed')).toEqual({ timeout: 9_000, keepAlive: false });
    expect(settingsOf('crate.shipped')).toEqual({ timeout: 15_000, keepAlive: false });
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/hooks/crates', '/hooks/crates']);
    expect([0, 1].map((index) => receiver.json(index).data)).toEqual([{ v: 1 }, { v: 1 }]);
  });
});

describe('rejects a setting with a wrong value when the class is declared', () => {
  const onEntity = (options: object) => () => {
    class Box {}
    (WebhookEvent as (name: string, options: object) => ClassDecorator)('box.made', {
      on: 'create',
      ...options,
    })(Box);
  };
  const onAll = (options: object) => () => {
    class Box {}
    (Webhooks as (options: object) => ClassDecorator)(options)(Box);
  };
  const onMethod = (options: object) => () => {
    class Box {
      async make(): Promise<void> {}
    }
    const descriptor = Object.getOwnPropertyDescriptor(Box.prototype, 'make')!;
    (WebhookEvent as (name: string, options: object) => MethodDecorator)('box.made', options)(
      Box.prototype,
      'make',
      descriptor,
    );
  };

  const wrong: [object, RegExp][] = [
    [{ timeout: 0 }, /timeout must be a positive whole number of milliseconds/],
    [{ timeout: '3s' }, /timeout must be a positive whole number of milliseconds/],
    [{ keepAlive: 'no' }, /keepAlive must be true or false/],
    [{ retry: true }, /retry must be false or an object of max and delay/],
    [{ retry: 3 }, /retry must be false or an object of max and delay/],
    [{ retry: { max: -1 } }, /retry\.max must be a whole number from 0 to 100/],
    [{ retry: { max: 101 } }, /retry\.max must be a whole number from 0 to 100/],
    [{ retry: { max: 1.5 } }, /retry\.max must be a whole number from 0 to 100/],
    [{ retry: { delay: '60s' } }, /retry\.delay must be a whole number of milliseconds from 0 to/],
    [{ retry: { times: 3 } }, /retry\.times is unknown\. Valid names: max, delay/],
    [{ recipients: '127.0.0.1/32' }, /recipients must be an object/],
    [{ recipients: [] }, /recipients must be an object/],
    [{ requestData: 'x' }, /`requestData` of .* must be an object or a function/],
    [{ requestData: null }, /`requestData` of .* must be an object or a function/],
    [{ requestData: [] }, /`requestData` of .* must be an object or a function/],
    [{ headers: 'X-A: b' }, /`headers` of .* must be an object of texts or a function/],
    [{ headers: ['X-A'] }, /`headers` of .* must be an object of texts or a function/],
    [{ headers: { host: 'example.com' } }, /headers are refused: "host" is set by the library/],
    [{ headers: { 'X-A': 'a\r\nb' } }, /headers are refused: "X-A" must be printable ASCII/],
    [{ ref: 7 }, /`ref` of .* must be a template such as '\/\w+\/\{id\}' or a function/],
    [{ propagateErrors: 'yes' }, /`propagateErrors` of .* must be true or false/],
    [{ retries: 3 }, /Unknown option `retries`/],
  ];

  it.each(wrong)('%o', (options, message) => {
    for (const [declare, place] of [
      [onEntity, "@WebhookEvent('box.made') on Box"],
      [onAll, '@Webhooks on Box'],
      [onMethod, "@WebhookEvent('box.made') on Box.make"],
    ] as const) {
      expect(declare(options)).toThrow(ThornConfigurationError);
      expect(declare(options)).toThrow(place);
      expect(declare(options)).toThrow(message);
    }
  });

  it('rejects wrong rules of recipients at start-up', async () => {
    @Entity()
    @WebhookEvent<Box>('box.made', {
      on: 'create',
      recipients: { allowCidrs: ['10.0.0.0/64'] },
    })
    class Box {
      @PrimaryGeneratedColumn()
      id!: number;
    }
    const { options } = await createBlogDatabase('better-sqlite3');
    const error = await startBlog(options, {}, [TypeOrmModule.forFeature([Box])]).then(
      () => expect.unreachable('the application started'),
      (reason: Error) => reason,
    );

    expect(error).toBeInstanceOf(ThornConfigurationError);
    expect(error.message).toMatch(/'box\.made'\) on Box: recipients: .*10\.0\.0\.0\/64/);
  });

  it('rejects wrong rules of recipients of a message that is sent by hand', async () => {
    const send = app
      .get(WebhookDispatcher)
      .send('a.b', {}, { recipients: { allowCidrs: ['10.0.0.0/64'] } });

    await expect(send).rejects.toBeInstanceOf(InvalidInputError);
    await expect(send).rejects.toThrow(/recipients.*10\.0\.0\.0\/64/);
    expect(watched.messages).toEqual([]);
  });
});
