import { SqliteClient } from '../../typeorm/sqlite/sqlite-client.js';
import { thornEntities } from '../../typeorm/index.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  matched,
  subscriber,
} from '../../testing/conformance/subscriber-repository/subscribers.js';
import { Clock } from '../../common/time.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { SecretSealer } from '../../signing/index.js';
import { SubscribersUnavailableError, DatabaseSubscriberRepository } from '../index.js';

const EVERYONE = { event: 'article.created', owner: null, audience: 'everyone' } as const;
const LATER = { updatedAt: new Date(1_700_000_100_000) };

class TestClock extends Clock {
  time = 1_700_000_000_000;
  override now(): number {
    return this.time;
  }
}

let directory: string;
let clock: TestClock;
let dataSource: DataSource;
let other: DataSource;
let here: DatabaseSubscriberRepository;
let there: DatabaseSubscriberRepository;
let logged: string[];

/** Two data sources on one file: two processes, as far as the database can tell. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'thorn-subscribers-'));
  const open = (synchronize: boolean) =>
    new DataSource({
      type: 'better-sqlite3',
      database: join(directory, 'app.db'),
      enableWAL: true,
      entities: [...thornEntities],
      synchronize,
    }).initialize();
  dataSource = await open(true);
  other = await open(false);
  clock = new TestClock();
  here = new DatabaseSubscriberRepository(new SqliteClient(dataSource), clock);
  there = new DatabaseSubscriberRepository(new SqliteClient(other), clock);
  logged = [];
  for (const level of ['warn', 'error'] as const) {
    vi.spyOn(Logger.prototype, level).mockImplementation((line) => void logged.push(String(line)));
  }
});

afterEach(async () => {
  vi.restoreAllMocks();
  if (dataSource.isInitialized) await dataSource.destroy();
  if (other.isInitialized) await other.destroy();
  await rm(directory, { recursive: true });
});

describe('staleness', () => {
  it('answers at once and without a query while it is fresh', async () => {
    await here.create(subscriber('one'));
    await here.match(EVERYONE);
    const queries = vi.spyOn(dataSource.createQueryRunner(), 'query');

    clock.time += 5000;
    expect(here.match(EVERYONE)).toMatchObject([{ id: 'one' }]);
    expect(queries).not.toHaveBeenCalled();
  });

  it('looks once for many messages that wait', async () => {
    await here.create(subscriber('one'));
    await here.match(EVERYONE);
    const queries = vi.spyOn(dataSource.createQueryRunner(), 'query');

    clock.time += 5001;
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => here.match(EVERYONE)),
    );
    expect(answers.every((found) => found.length === 1)).toBe(true);
    expect(queries).toHaveBeenCalledTimes(1);
  });

  it('does not see a change of another process before, and sees it after maxStaleness', async () => {
    const impatient = new DatabaseSubscriberRepository(new SqliteClient(other), clock, {
      maxStaleness: 100,
    });
    await impatient.match(EVERYONE);
    await here.create(subscriber('one'));

    clock.time += 100;
    expect(await matched(impatient, {})).toEqual([]);
    clock.time += 1;
    expect(await matched(impatient, {})).toEqual(['one']);
  });

  it('looks again when the clock is put back', async () => {
    await there.match(EVERYONE);
    await here.create(subscriber('one'));

    clock.time -= 3_600_000;
    expect(await matched(there, {})).toEqual(['one']);
  });

  it('finds every difference among thousands, whatever the time stamps say', async () => {
    await insert(dataSource, 2500);
    expect(await there.match(EVERYONE)).toHaveLength(2500);

    const past = { updatedAt: new Date(5000) };
    for (const at of [0, 999, 1000, 2499]) {
      await here.update(number(at), { events: ['order.*'], ...past }, 'any');
    }
    for (const at of [1, 1001, 2400]) {
      await here.delete(number(at), 'any');
      await here.create(subscriber(`new-${at}`, { createdAt: new Date(0), ...past }));
    }
    clock.time += 5001;
    const found = await matched(there, {});
    expect(found).toHaveLength(2500 - 4);
    expect(found.filter((id) => id.startsWith('new'))).toHaveLength(3);
    expect(await matched(there, { event: 'order.created' })).toHaveLength(4);
  });

  it('reads more rows than one page holds, and drops them again', async () => {
    await insert(dataSource, 3000);
    expect(await there.match(EVERYONE)).toHaveLength(3000);

    await dataSource.query(`DELETE FROM thorn_subscribers WHERE id > '${number(10)}'`);
    clock.time += 5001;
    expect(await there.match(EVERYONE)).toHaveLength(11);
  });
});

describe('a look that races a change of its own process', () => {
  it('neither brings back what was deleted nor loses what was created or changed', async () => {
    await insert(dataSource, 2500);
    await here.match(EVERYONE);
    for (let round = 0; round < 5; round++) {
      await there.create(subscriber(`theirs-${round}`, { updatedAt: new Date(0) }));
      clock.time += 5001;
      const looking = here.match(EVERYONE); // compares page by page
      await Promise.all([
        here.delete(number(round), 'any'),
        here.create(subscriber(`ours-${round}`)),
        here.update(number(2400 + round), { enabled: false, ...LATER }, 'any'),
        looking,
      ]);

      const found = await matched(here, {});
      expect(found).toContain(`ours-${round}`);
      expect(found).toContain(`theirs-${round}`);
      expect(found).not.toContain(number(round));
      expect(found).not.toContain(number(2400 + round));
    }
  });

  it('keeps a change made while the rows are read for the first time', async () => {
    await insert(dataSource, 2500);
    const loading = here.match(EVERYONE);
    await here.delete(number(2499), 'any');
    await here.create(subscriber('aaa'));
    await loading;

    const found = await matched(here, {});
    expect(found).toHaveLength(2500);
    expect(found).toContain('aaa');
  });
});

describe('a database that does not answer', () => {
  it('goes on with what is known, warns, and gives up at the bound', async () => {
    await here.create(subscriber('one'));
    await here.match(EVERYONE);
    await dataSource.query('ALTER TABLE thorn_subscribers RENAME TO away');

    clock.time += 5001;
    expect(await matched(here, {})).toEqual(['one']);
    expect(here.match(EVERYONE)).not.toBeInstanceOf(Promise); // the next try is not yet due
    expect(logged).toEqual([expect.stringContaining('known 5001 ms ago')]);
    clock.time += 1000;
    expect(await matched(here, {})).toEqual(['one']);
    expect(logged).toHaveLength(2);

    clock.time += 60_000;
    await expect(here.match(EVERYONE)).rejects.toThrow(SubscribersUnavailableError);

    await dataSource.query('ALTER TABLE away RENAME TO thorn_subscribers');
    expect(await matched(here, {})).toEqual(['one']);
  });

  it('fails when nothing was ever read, and recovers', async () => {
    await there.create(subscriber('one'));
    await dataSource.query('ALTER TABLE thorn_subscribers RENAME TO away');
    await expect(here.match(EVERYONE)).rejects.toThrow(SubscribersUnavailableError);

    await dataSource.query('ALTER TABLE away RENAME TO thorn_subscribers');
    expect(await matched(here, {})).toEqual(['one']);
  });
});

describe('rows edited by hand', () => {
  it.each([
    ['events', 'nonsense'],
    ['events', '{"a":1}'],
    ['events', '[1]'],
    ['secrets', '["topsecret"]'],
    ['secrets', '[{"value":"topsecret"'],
    ['metadata', '[]'],
    ['metadata', 'null'],
    ['digest', 'md5'],
    ['updated_at', 'yesterday'],
  ])('skips a row whose %s are %s, and says so without showing it', async (column, value) => {
    await here.create(subscriber('bad'));
    await here.create(subscriber('good'));
    await dataSource.query(
      `UPDATE thorn_subscribers SET ${column} = ?, revision = revision + 1 WHERE id = 'bad'`,
      [value],
    );

    expect(await matched(there, {})).toEqual(['good']);
    expect(logged).toEqual([expect.stringContaining(`"${column}"`)]);
    clock.time += 5001;
    expect(await matched(there, {})).toEqual(['good']);
    expect(logged).toHaveLength(1);
    expect(await there.findById('bad', 'any')).toBeNull();
    expect((await there.list('any', { limit: 5 })).items).toHaveLength(1);
    expect(logged.join()).not.toContain('topsecret');
    expect(await there.delete('bad', 'any')).toBe(true);
  });

  it('takes the row back once it makes sense', async () => {
    await here.create(subscriber('one'));
    const edit = (events: string) =>
      dataSource.query('UPDATE thorn_subscribers SET events = ?, revision = revision + 1', [
        events,
      ]);
    await edit('oops');
    expect(await matched(there, {})).toEqual([]);

    await edit('["*"]');
    clock.time += 5001;
    expect(await matched(there, {})).toEqual(['one']);
  });
});

it('says what to do when the data source does not know the entity', async () => {
  const stranger = await new DataSource({
    type: 'better-sqlite3',
    database: ':memory:',
  }).initialize();

  expect(() => new DatabaseSubscriberRepository(new SqliteClient(stranger), clock)).toThrow(
    ThornConfigurationError,
  );
  expect(() => new DatabaseSubscriberRepository(new SqliteClient(stranger), clock)).toThrow(
    /autoLoadEntities/,
  );
  await stranger.destroy();
});

function number(at: number): string {
  return `sub-${String(at).padStart(6, '0')}`;
}

async function insert(into: DataSource, count: number): Promise<void> {
  await into.query(
    `INSERT INTO thorn_subscribers
       (id, url, events, exclude, ordered, on_exhausted, content_type, digest, secrets, enabled, verification, metadata, revision, created_at, updated_at)
     SELECT value, 'https://example.com/', '["article.*"]', '[]', 0, 'skip', 'application/json', 'sha256', '[]', 1, 'none', '{}',
       abs(random() % 2147483648), 0, 0
     FROM json_each(?)`,
    [JSON.stringify(Array.from({ length: count }, (_, at) => number(at)))],
  );
}

it('opens the secrets of a subscriber once to read it', async () => {
  const sealer = new SecretSealer({
    keys: [{ id: 'a', key: Buffer.alloc(32, 1).toString('base64') }],
  });
  const open = vi.spyOn(sealer, 'open');
  const sealed = new DatabaseSubscriberRepository(new SqliteClient(dataSource), clock, {}, sealer);
  const { id, secrets } = await sealed.create(subscriber('sealed'));
  open.mockClear();

  expect((await sealed.findById(id, 'any'))?.secrets).toEqual(secrets);
  expect(open).toHaveBeenCalledOnce();
});
