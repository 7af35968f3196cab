import { TypeOrmClient } from '../../lib/database/typeorm-client.js';
import { SqliteClient } from '../../lib/typeorm/sqlite/sqlite-client.js';
import { thornEntities, ThornSubscriber } from '../../lib/typeorm/index.js';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freshPostgres } from '../services/database.js';
import { Clock } from '../../lib/common/time.js';
import { DisabledStrategy } from '../../lib/dispatch/strategies/disabled.strategy.js';
import { ThornConfigurationError } from '../../lib/errors/index.js';
import { WebhookFormats } from '../../lib/message/index.js';
import { Maintenance } from '../../lib/outbox/index.js';
import { generateSecret, SecretSealer, SecretUnreadableError } from '../../lib/signing/index.js';
import {
  matched,
  subscriber,
} from '../../lib/testing/conformance/subscriber-repository/subscribers.js';
import {
  InMemorySubscriberRepository,
  type SubscriberRepository,
  Subscribers,
  DatabaseSubscriberRepository,
} from '../../lib/subscriber/index.js';

class TestClock extends Clock {
  time = 1_700_000_000_000;
  override now(): number {
    return this.time;
  }
}

interface Store {
  readonly dataSource: DataSource;
  /** Everything that is stored, as somebody finds it who got hold of it. */
  dump(): Promise<string>;
  close(): Promise<void>;
}

const OLD = { id: 'old', key: randomBytes(32) };
const NEW = { id: 'new', key: randomBytes(32) };
const LATER = new Date(1_700_000_100_000);

let clock: TestClock;
let logged: string[];

beforeEach(() => {
  clock = new TestClock();
  logged = [];
  for (const level of ['warn', 'error'] as const) {
    vi.spyOn(Logger.prototype, level).mockImplementation((line) => void logged.push(String(line)));
  }
});

afterEach(() => void vi.restoreAllMocks());

describe.each([
  ['SQLite', onSqlite],
  ['PostgreSQL', onPostgres],
])('sealed in %s', (_, open) => {
  let store: Store;
  let plain: DatabaseSubscriberRepository;
  let sealed: DatabaseSubscriberRepository;
  let resealed: DatabaseSubscriberRepository;

  beforeEach(async () => {
    store = await open();
    plain = repository();
    sealed = repository(OLD);
    resealed = repository(NEW, OLD);
  });

  afterEach(() => store.close());

  it('keeps every secret out of the database, whatever is written', async () => {
    const secrets = Array.from({ length: 4 }, generateSecret);
    const subscribers = service(sealed);
    const { id } = await subscribers.create({ ...VALID, secret: secrets[0]! });
    await subscribers.rotateSecret(id, { secret: secrets[1]! }, 'any');
    await subscribers.update(id, { secret: secrets[2]! }, 'any');
    await subscribers.rotateSecret(id, { secret: secrets[3]! }, 'any');

    const found = await service(repository(OLD)).findById(id, 'any');
    expect(found?.secrets.map(({ value }) => value)).toEqual([secrets[3], secrets[2]]);
    const dump = await store.dump();
    expect(dump).toContain(id);
    for (const secret of secrets) expectAbsent(dump, secret);
    const unsealed = await service(plain).create({ ...VALID, secret: secrets[0]! });
    expect(await store.dump()).toContain(unsealed.secrets[0]!.value); // the dump does show what is there
  });

  it('opens a subscriber’s secrets in its own row alone', async () => {
    await sealed.create(subscriber('one'));
    await sealed.create(subscriber('two'));
    await write('two', await stored('one'));

    expect(await matched(repository(OLD), {})).toEqual(['one']);
    await expect(sealed.findById('two', 'any')).rejects.toThrow(SecretUnreadableError);
  });

  it('reads the plain rows from before', async () => {
    const before = await plain.create(subscriber('one'));

    expect(await sealed.findById('one', 'any')).toEqual(before);
    expect(await matched(sealed, {})).toEqual(['one']);
    await sealed.changeSecrets('one', (secrets) => secrets, LATER, 'any');
    expect(await stored('one')).toMatch(/^sealed\.v1\.old\./);
  });

  describe('a subscriber whose secrets do not open', () => {
    const faults = ['unknown key', 'altered', 'no sealed text'] as const;
    beforeEach(async () => {
      for (const id of ['good', ...faults]) await sealed.create(subscriber(id));
      await write('unknown key', new SecretSealer({ keys: [NEW] }).seal('[]', 'unknown key'));
      const text = await stored('altered');
      await write('altered', text.slice(0, -8) + (text.endsWith('AAAAAAAA') ? 'B' : 'A').repeat(8));
      await write('no sealed text', 'sealed.v1.');
    });

    it('skips it in matching and in lists, and logs it without its secret', async () => {
      expect(await matched(repository(OLD), {})).toEqual(['good']);
      const log = logged.join('\n');
      for (const id of faults) expect(log).toContain(`Subscriber ${id} receives nothing`);
      expect(log).toContain('"new", which encryption.keys does not name');
      expect(log).not.toContain('whsec');
      expect(log).not.toContain(await stored('altered'));
      const { items } = await sealed.list('any', { limit: 10 });
      expect(items.map(({ id }) => id)).toEqual(['good']);
    });

    it('rejects reading or changing it by its id, and keeps it as it is', async () => {
      for (const id of faults) {
        const before = await row(id);
        const error = await sealed.findById(id, 'any').catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(SecretUnreadableError);
        expect(error).toMatchObject({ data: { rowId: id } });
        expect(inspect(error, { depth: 9 })).not.toContain('whsec');
        const changes = { enabled: false, updatedAt: LATER };
        await expect(sealed.update(id, changes, 'any')).rejects.toThrow(SecretUnreadableError);
        await expect(sealed.changeSecrets(id, (secrets) => secrets, LATER, 'any')).rejects.toThrow(
          SecretUnreadableError,
        );
        expect(await row(id)).toEqual(before);
      }
    });

    it('accepts a new secret for it, and its deletion', async () => {
      await matched(sealed, {});
      const secrets = [{ value: generateSecret(), expiresAt: null }];
      const healed = await sealed.update('altered', { secrets, updatedAt: LATER }, 'any');

      expect(healed?.secrets).toEqual(secrets);
      expect(await matched(sealed, {})).toEqual(['altered', 'good']);
      expect(await sealed.delete('unknown key', 'any')).toBe(true);
    });

    it('reports it from Maintenance.reseal, which seals all others', async () => {
      expect(await maintenance(resealed).reseal()).toEqual({
        checked: 4,
        resealed: 1, // the unknown key is the first of this one
        unreadable: ['altered', 'no sealed text'],
        next: null,
      });
    });
  });

  describe('Maintenance.reseal', () => {
    it('seals plain rows and rows of another key in batches, until none is left', async () => {
      for (let at = 0; at < 5; at++) await plain.create(subscriber(`plain-${at}`));
      for (let at = 0; at < 5; at++) await sealed.create(subscriber(`sealed-${at}`));
      await resealed.create(subscriber('done'));
      const before = await resealed.list('any', { limit: 100 });
      const done = await stored('done');

      const work = maintenance(resealed);
      const expected = { checked: 11, resealed: 10, unreadable: [], next: null };
      expect(await work.reseal({ batch: 3, dryRun: true })).toEqual(expected);
      expect(await repository(NEW).list('any', { limit: 100 })).not.toEqual(before);
      const seen: number[] = [];
      const onProgress = ({ checked }: { checked: number }) => void seen.push(checked);
      expect(await work.reseal({ batch: 3, onProgress })).toEqual(expected);
      expect(seen).toEqual([3, 6, 9, 11]);
      const onlyNew = repository(NEW);
      expect(await onlyNew.list('any', { limit: 100 })).toEqual(before);
      expect(await matched(onlyNew, {})).toHaveLength(11);
      expect(await stored('done')).toBe(done);
      expect(await work.reseal({ batch: 3 })).toMatchObject({ checked: 11, resealed: 0 });
    });

    it('seals headers and credentials of endpoints as it does secrets', async () => {
      const headers = { 'X-Api-Key': 'a-key-of-the-owner' };
      const auth = { type: 'basic', username: 'a-name', password: 'a-password-of-mine' } as const;
      const fields = { ...VALID, headers, auth };
      const { id: before } = await service(plain).create(fields);
      const { id: old } = await service(sealed).create(fields);
      const { id: mixed } = await service(resealed).create(fields);
      const { id: lost } = await service(resealed).create(fields);
      const seal = (text: object, key: typeof OLD, of: string) =>
        new SecretSealer({ keys: [key] }).seal(JSON.stringify(text), of);
      const rows = store.dataSource.getRepository(ThornSubscriber);
      await rows.update(mixed, { auth: seal(auth, OLD, mixed), revision: 7 });
      await rows.update(lost, { headers: seal(headers, OLD, old), revision: 7 });

      const summary = await maintenance(resealed).reseal();
      expect(summary).toEqual({ checked: 4, resealed: 3, unreadable: [lost], next: null });
      const onlyNew = repository(NEW);
      for (const id of [before, old, mixed]) {
        const stands = await row(id);
        for (const text of [stands.secrets, stands.headers, stands.auth]) {
          expect(text).toMatch(/^sealed\.v1\.new\./);
        }
        expect(await onlyNew.findById(id, 'any')).toMatchObject({ headers, auth });
      }
      expect(await maintenance(resealed).reseal()).toMatchObject({ checked: 4, resealed: 0 });
    });

    it('resumes where it was interrupted', async () => {
      for (let at = 0; at < 6; at++) await sealed.create(subscriber(`sub-${at}`));
      const work = maintenance(resealed);
      const pages = vi.spyOn(resealed, 'reseal');
      pages.mockImplementationOnce((page) =>
        DatabaseSubscriberRepository.prototype.reseal.call(resealed, page),
      );
      pages.mockRejectedValueOnce(new Error('the connection is gone'));

      let after: string | null = null;
      const onProgress = ({ next }: { next: string | null }) => void (after = next);
      await expect(work.reseal({ batch: 2, onProgress })).rejects.toThrow('the connection is gone');
      expect(await work.reseal({ batch: 2, after })).toMatchObject({ checked: 4, resealed: 4 });
      expect(await work.reseal()).toMatchObject({ checked: 6, resealed: 0 });
    });

    it('loses no rotation, update or deletion that happens meanwhile', async () => {
      const ids = Array.from({ length: 12 }, (_, at) => `sub-${String(at).padStart(2, '0')}`);
      for (const id of ids) await sealed.create(subscriber(id));
      const [first, second, third] = [ids.slice(0, 4), ids.slice(4, 8), ids.slice(8)];
      const other = repository(OLD, NEW); // another process, which has not been told of the new order

      const [summary] = await Promise.all([
        maintenance(resealed).reseal({ batch: 2 }),
        ...first.map((id) =>
          service(other).rotateSecret(id, { secret: `${id} has a new one` }, 'any'),
        ),
        ...second.map((id) =>
          service(other).update(id, { url: `https://example.com/${id}` }, 'any'),
        ),
        ...third.map((id) => other.delete(id, 'any')),
      ]);
      expect(summary.unreadable).toEqual([]);
      for (const id of first) {
        const found = await resealed.findById(id, 'any');
        expect(found?.secrets.map(({ value }) => value)).toEqual([
          `${id} has a new one`,
          'whsec_c2VjcmV0',
        ]);
      }
      for (const id of second) {
        expect((await resealed.findById(id, 'any'))?.url).toBe(`https://example.com/${id}`);
      }
      for (const id of third) expect(await resealed.findById(id, 'any')).toBeNull();
      await maintenance(resealed).reseal();
      expect((await repository(NEW).list('any', { limit: 20 })).items).toHaveLength(8);
    });

    it('removes expired secrets', async () => {
      const subscribers = service(sealed);
      const { id } = await subscribers.create(VALID);
      await subscribers.rotateSecret(id, { overlap: 1000 }, 'any');
      clock.time += 1000;
      expect((await sealed.findById(id, 'any'))?.secrets).toHaveLength(2);

      expect(await maintenance(sealed, OLD).reseal()).toMatchObject({ checked: 1, resealed: 1 });
      expect((await sealed.findById(id, 'any'))?.secrets).toHaveLength(1);
    });

    it('says which option is missing when there is no key', async () => {
      const work = new Maintenance(new DisabledStrategy(), plain, new SecretSealer(), clock);
      await expect(work.reseal()).rejects.toThrow(ThornConfigurationError);
      await expect(work.reseal()).rejects.toThrow(/encryption\.keys/);
      await expect(plain.reseal({ limit: 1, after: null, now: 0 })).rejects.toThrow(
        /encryption\.keys/,
      );
    });

    it('does nothing where no row is sealed', async () => {
      const subscribers = new InMemorySubscriberRepository();
      await subscribers.create(subscriber('one'));
      expect(await maintenance(subscribers).reseal()).toMatchObject({ checked: 0, resealed: 0 });
    });

    it.each([0, 1001, 1.5, '5'])('rejects batches of %j', async (batch) => {
      const refused = maintenance(resealed).reseal({ batch: batch as number });
      await expect(refused).rejects.toMatchObject({ field: 'batch' });
    });

    it.each(['', 'x', '5/', 'sub_1'])('rejects resuming after %j', async (after) => {
      const refused = maintenance(resealed).reseal({ after });
      await expect(refused).rejects.toMatchObject({ field: 'after' });
    });
  });

  function maintenance(subscribers: SubscriberRepository, ...keys: (typeof OLD)[]): Maintenance {
    const sealer = new SecretSealer({ keys: keys.length > 0 ? keys : [NEW, OLD] });
    return new Maintenance(new DisabledStrategy(), subscribers, sealer, clock);
  }

  function repository(...keys: { id: string; key: Buffer }[]): DatabaseSubscriberRepository {
    const sealer = keys.length === 0 ? undefined : new SecretSealer({ keys });
    // On SQLite, as in applications: transactions that overlap wait for each other.
    const client =
      store.dataSource.options.type === 'better-sqlite3'
        ? new SqliteClient(store.dataSource)
        : new TypeOrmClient(store.dataSource);
    return new DatabaseSubscriberRepository(client, clock, {}, sealer);
  }

  async function row(id: string): Promise<ThornSubscriber> {
    return store.dataSource.getRepository(ThornSubscriber).findOneByOrFail({ id });
  }

  async function stored(id: string): Promise<string> {
    return (await row(id)).secrets;
  }

  async function write(id: string, secrets: string): Promise<void> {
    await store.dataSource.getRepository(ThornSubscriber).update(id, { secrets, revision: 7 });
  }
});

const VALID = { url: 'https://example.com/hooks', events: ['article.*'] };

function service(repository: DatabaseSubscriberRepository): Subscribers {
  return new Subscribers(repository, clock, {
    checkUrl: () => undefined,
    contentTypes: ['application/json'],
    formats: new WebhookFormats(),
    checkSecret: () => undefined,
    generateSecret,
  });
}

/** In no encoding that the bytes might be written in. */
function expectAbsent(dump: string, secret: string): void {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  for (const trace of [
    secret.slice('whsec_'.length),
    key.toString('base64url'),
    key.toString('hex'),
    key.toString('latin1'),
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('base64').slice(4, -4),
  ]) {
    expect(dump).not.toContain(trace);
  }
}

async function onSqlite(): Promise<Store> {
  const directory = await mkdtemp(join(tmpdir(), 'thorn-sealed-'));
  const dataSource = await new DataSource({
    type: 'better-sqlite3',
    database: join(directory, 'app.db'),
    enableWAL: true,
    entities: thornEntities,
    synchronize: true,
  }).initialize();
  return {
    dataSource,
    dump: async () => {
      const files = await readdir(directory);
      const bytes = await Promise.all(files.map((file) => readFile(join(directory, file))));
      return Buffer.concat(bytes).toString('latin1');
    },
    close: async () => {
      await dataSource.destroy();
      await rm(directory, { recursive: true });
    },
  };
}

async function onPostgres(): Promise<Store> {
  const database = await freshPostgres();
  const dataSource = await new DataSource({
    type: 'postgres',
    url: database.url,
    entities: thornEntities,
    synchronize: true,
  }).initialize();
  return {
    dataSource,
    dump: async () => {
      const rows: unknown = await dataSource.query(
        `SELECT query_to_xml('SELECT * FROM thorn_subscribers', true, true, '')::text`,
      );
      return JSON.stringify(rows);
    },
    close: async () => {
      await dataSource.destroy();
      await database.drop();
    },
  };
}
