import { beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../common/time.js';
import { InvalidInputError, RecipientRefusedError } from '../../errors/index.js';
import { WebhookFormats } from '../../message/index.js';
import {
  InMemorySubscriberRepository,
  type NewSubscriber,
  type SecretRotation,
  Subscribers,
} from '../index.js';

const NOW = 1_700_000_000_000;
const FIRST = 'the first secret of mine';
const SECOND = 'the second secret of mine';
const VALID = { url: 'https://example.com/h?token=hidden', events: ['article.*'] };

class TestClock extends Clock {
  time = NOW;
  override now(): number {
    return this.time;
  }
}

let clock: TestClock;
let repository: InMemorySubscriberRepository;
let subscribers: Subscribers;

beforeEach(() => {
  clock = new TestClock();
  repository = new InMemorySubscriberRepository();
  subscribers = new Subscribers(repository, clock, {
    checkUrl: (url) => {
      if (url.includes('127.0.0.1')) {
        throw new RecipientRefusedError('private-address', 'the address is private');
      }
    },
    contentTypes: ['application/json', 'application/x-www-form-urlencoded'],
    formats: new WebhookFormats(),
    checkPatternKnown: (pattern) => {
      if (pattern === 'unknown.*') throw new InvalidInputError('events', 'matches no event');
    },
    checkSecret: (secret) => {
      if (secret.length < 16) throw new InvalidInputError('secret', 'is too short');
    },
    generateSecret: () => 'whsec_generated',
  });
});

describe('create', () => {
  it('fills in the documented defaults', async () => {
    const created = await subscribers.create(VALID);

    expect(created).toEqual({
      ...VALID,
      id: expect.stringMatching(/^sub_[0-9a-f-]{36}$/),
      owner: null,
      contentType: 'application/json',
      digest: 'sha256',
      secrets: [{ value: 'whsec_generated', expiresAt: null }],
      enabled: true,
      description: null,
      exclude: [],
      filter: null,
      changed: null,
      fields: null,
      thin: false,
      template: null,
      rateLimit: null,
      ordered: false,
      onExhausted: 'skip',
      holdFor: null,
      verification: 'none',
      expiresAt: null,
      key: null,
      format: null,
      headers: {},
      auth: null,
      timeout: null,
      metadata: {},
      createdAt: new Date(NOW),
      updatedAt: new Date(NOW),
    });
    expect(await subscribers.findById(created.id, { owner: null })).toEqual(created);
  });

  it('takes every field, up to its limits', async () => {
    const input: NewSubscriber = {
      url: `https://example.com/${'a'.repeat(2028)}`,
      events: Array.from({ length: 50 }, (_, at) => `article.${at}`),
      owner: 'o'.repeat(255),
      contentType: 'application/x-www-form-urlencoded',
      digest: 'sha1',
      secret: 'a secret of my own',
      enabled: false,
      description: 'é'.repeat(1000),
      metadata: Object.fromEntries(
        Array.from({ length: 20 }, (_, at) => [`${at}`.padEnd(64, 'k'), 'v'.repeat(512)]),
      ),
    };
    const { secret, ...rest } = input;

    expect(await subscribers.create(input)).toMatchObject({
      ...rest,
      secrets: [{ value: secret, expiresAt: null }],
    });
  });

  it('treats an undefined field as not given', async () => {
    const input = { ...VALID, digest: undefined, description: undefined } as unknown;

    expect(await subscribers.create(input as NewSubscriber)).toMatchObject({ digest: 'sha256' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['url', { url: undefined }],
    ['url', { url: 7 }],
    ['url', { url: '' }],
    ['url', { url: 'http://127.0.0.1/' }],
    ['url', { url: `https://example.com/${'a'.repeat(2029)}` }],
    ['url', { url: 'https://example.com/\0' }],
    ['events', { events: undefined }],
    ['events', { events: [] }],
    ['events', { events: 'article.*' }],
    ['events', { events: ['article..x'] }],
    ['events', { events: ['unknown.*'] }],
    ['events', { events: ['a.b', 'c', 'a.b'] }],
    ['events', { events: [null] }],
    ['events', { events: [['a']] }],
    ['events', { events: Array.from({ length: 51 }, (_, at) => `a.${at}`) }],
    ['owner', { owner: '' }],
    ['owner', { owner: 7 }],
    ['owner', { owner: 'o'.repeat(256) }],
    ['contentType', { contentType: 'text/html' }],
    ['contentType', { contentType: null }],
    ['digest', { digest: 'md5' }],
    ['digest', { digest: 'toString' }],
    ['secret', { secret: 'short' }],
    ['secret', { secret: null }],
    ['enabled', { enabled: 'false' }],
    ['description', { description: 'd'.repeat(1001) }],
    ['description', { description: 'lone \ud800 surrogate' }],
    ['description', { description: 'nul \0' }],
    ['metadata', { metadata: null }],
    ['metadata', { metadata: ['a'] }],
    ['metadata', { metadata: new Map([['a', 'b']]) }],
    ['metadata', { metadata: { a: 1 } }],
    ['metadata', { metadata: { a: null } }],
    ['metadata', { metadata: { '': 'a' } }],
    ['metadata', { metadata: { a: 'v'.repeat(513) } }],
    ['metadata', { metadata: { ['k'.repeat(65)]: 'v' } }],
    ['metadata', { metadata: JSON.parse('{"__proto__":"a"}') }],
    ['metadata', { metadata: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [at, ''])) }],
    ['id', { id: 'sub_mine' }],
    ['secrets', { secrets: [] }],
    ['createdAt', { createdAt: new Date() }],
    ['__proto__', JSON.parse('{"__proto__":{"admin":true}}')],
  ])('refuses a wrong %s: %j', async (field, wrong) => {
    const input = Object.assign(Object.create(null), VALID);
    for (const [key, value] of Object.entries(wrong)) {
      Object.defineProperty(input, key, { value, enumerable: true });
    }
    const refusal = await subscribers.create(input).catch((error: unknown) => error);

    expect(refusal).toBeInstanceOf(InvalidInputError);
    expect(refusal).toMatchObject({ field });
    expect(String(refusal)).not.toContain('hidden');
    expect((await subscribers.list({ limit: 10 }, 'any')).items).toEqual([]);
  });

  it.each([null, undefined, 'text', []])('refuses %j instead of an object', async (input) => {
    await expect(subscribers.create(input as never)).rejects.toThrow(InvalidInputError);
  });

  it('says in the error why the recipient was refused', async () => {
    await expect(subscribers.create({ ...VALID, url: 'http://127.0.0.1/' })).rejects.toMatchObject({
      field: 'url',
      reason: 'is refused: the address is private',
      data: { reason: 'private-address' },
    });
  });
});

describe('createOrUpdate', () => {
  const keyed = { ...VALID, owner: '42', key: 'crm' };

  it('creates one subscriber of a key, and tells one of several callers at once that it is new', async () => {
    const stored = await Promise.all(
      ['one', 'two', 'three'].map((description) =>
        subscribers.createOrUpdate({ ...keyed, description }),
      ),
    );
    expect(stored.map(({ isNew }) => isNew).sort()).toEqual([false, false, true]);
    const { items } = await subscribers.list({}, 'any');
    expect(items).toMatchObject([{ ...keyed, secrets: [{ value: 'whsec_generated' }] }]);
    expect(await subscribers.findByKey('crm', { owner: '42' })).toEqual(items[0]);
    expect(await subscribers.findByKey('crm', { owner: null })).toBeNull();
  });

  it('ends no rotation by the secret that is the latest already', async () => {
    const secret = 'the latest secret of mine';
    const { id } = await subscribers.create(keyed);
    const rotated = (await subscribers.rotateSecret(id, { secret }, 'any'))!;
    expect(rotated.secrets).toHaveLength(2);
    const again = await subscribers.create({ ...keyed, secret });
    expect(again.secrets).toEqual(rotated.secrets);
    const other = { value: 'another secret of mine', expiresAt: null };
    const replaced = await subscribers.create({ ...keyed, secret: other.value });
    expect(replaced.secrets).toEqual([other]);
  });

  it('takes an end in the future alone, by the clock, and tells when it has passed', async () => {
    const ending = (at: number) => ({ ...keyed, expiresAt: new Date(at) });
    await expect(subscribers.createOrUpdate(ending(NOW))).rejects.toMatchObject({
      field: 'expiresAt',
    });
    const { subscriber } = await subscribers.createOrUpdate(ending(NOW + 1));
    expect(subscribers.isExpired(subscriber)).toBe(false);
    clock.time++;
    expect(subscribers.isExpired(subscriber)).toBe(true);
    expect((await subscribers.createOrUpdate(keyed)).subscriber.expiresAt).toBeNull();
  });
});

describe('update', () => {
  it('changes the given fields and the time alone', async () => {
    const created = await subscribers.create({ ...VALID, description: 'kept' });
    clock.time += 1000;

    const updated = await subscribers.update(
      created.id,
      { secret: 'my very own secret', enabled: false },
      'any',
    );
    expect(updated).toEqual({
      ...created,
      secrets: [{ value: 'my very own secret', expiresAt: null }],
      enabled: false,
      updatedAt: new Date(NOW + 1000),
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['url', { url: 'http://127.0.0.1/' }],
    ['events', { events: [] }],
    ['owner', { owner: 'bob' }],
    ['secrets', { secrets: [] }],
    ['updatedAt', { updatedAt: new Date() }],
  ])('refuses a wrong %s and leaves everything as it was', async (field, wrong) => {
    const created = await subscribers.create(VALID);

    await expect(
      subscribers.update(created.id, { enabled: false, ...wrong }, 'any'),
    ).rejects.toMatchObject({ field });
    expect(await subscribers.findById(created.id, 'any')).toEqual(created);
  });
});

describe('rotateSecret', () => {
  it('puts a new secret first and ends the one before after a day', async () => {
    const created = await subscribers.create({ ...VALID, owner: 'ann', secret: FIRST });
    clock.time += 1000;

    const after = await subscribers.rotateSecret(created.id, {}, { owner: 'ann' });
    expect(after).toEqual({
      ...created,
      secrets: [
        { value: 'whsec_generated', expiresAt: null },
        { value: FIRST, expiresAt: NOW + 1000 + 86_400_000 },
      ],
      updatedAt: new Date(NOW + 1000),
    });
    expect(await subscribers.findById(created.id, 'any')).toEqual(after);
  });

  it('takes a secret and an overlap of the caller’s', async () => {
    const { id } = await subscribers.create({ ...VALID, secret: FIRST });

    const rotation = { secret: SECOND, overlap: '90m' };
    const after = await subscribers.rotateSecret(id, rotation, 'any');
    expect(after?.secrets).toEqual([
      { value: SECOND, expiresAt: null },
      { value: FIRST, expiresAt: NOW + 5_400_000 },
    ]);
  });

  it('ends every older secret before its time, for the owner alone', async () => {
    const { id } = await subscribers.create({ ...VALID, owner: 'ann', secret: FIRST });
    await subscribers.rotateSecret(id, { secret: SECOND, overlap: '7d' }, 'any');
    await subscribers.rotateSecret(id, { secret: 'another secret' + SECOND }, 'any');
    const refuse = () => {
      throw new Error('changed since');
    };

    expect(await subscribers.endRotation(id, { owner: 'bob' })).toBeNull();
    expect(await subscribers.endRotation('a\0b', 'any')).toBeNull();
    await expect(subscribers.endRotation(id, 'any', { check: refuse })).rejects.toThrow('since');
    expect((await subscribers.findById(id, 'any'))!.secrets).toHaveLength(3);

    clock.time += 1000;
    const ended = await subscribers.endRotation(id, { owner: 'ann' });
    expect(ended!.secrets).toEqual([{ value: 'another secret' + SECOND, expiresAt: null }]);
    expect(ended!.updatedAt).toEqual(new Date(NOW + 1000));
    expect(await subscribers.findById(id, 'any')).toEqual(ended);
  });

  it('shows a secret no more from the moment it has expired', async () => {
    const { id } = await subscribers.create({ ...VALID, secret: FIRST });
    await subscribers.rotateSecret(id, { secret: SECOND, overlap: 1000 }, 'any');
    const shown = async () => {
      const { items } = await subscribers.list({ limit: 1 }, 'any');
      const found = await subscribers.findById(id, 'any');
      expect(items).toEqual([found]);
      return found!.secrets.map(({ value }) => value);
    };

    clock.time += 999;
    expect(await shown()).toEqual([SECOND, FIRST]);
    clock.time += 1;
    expect(await shown()).toEqual([SECOND]);
  });

  it.each<[string, (id: string) => Promise<unknown>]>([
    ['update', (id) => subscribers.update(id, { description: 'x' }, 'any')],
    [
      'rotation',
      (id) => subscribers.rotateSecret(id, { secret: 'another secret' + SECOND }, 'any'),
    ],
  ])('removes what has expired from the store with the next %s', async (_, write) => {
    const { id } = await subscribers.create({ ...VALID, secret: FIRST });
    await subscribers.rotateSecret(id, { secret: SECOND, overlap: 1000 }, 'any');
    clock.time += 1000;
    expect((await repository.findById(id, 'any'))?.secrets).toHaveLength(2);

    await write(id);
    const stored = await repository.findById(id, 'any');
    expect(stored?.secrets.map(({ value }) => value)).not.toContain(FIRST);
    expect(stored?.secrets.map(({ value }) => value)).toContain(SECOND);
  });

  it.each<[string, unknown]>([
    ['overlap', { overlap: '24 hours' }],
    ['overlap', { overlap: -1 }],
    ['secret', { secret: 'short' }],
    ['secret', { secret: 7 }],
    ['secret', { secret: FIRST }],
    ['expiresAt', { expiresAt: 7 }],
    ['rotation', null],
    ['rotation', '24h'],
  ])('refuses a wrong %s: %j, and leaves everything as it was', async (field, rotation) => {
    const created = await subscribers.create({ ...VALID, secret: FIRST });

    const refusal = await subscribers
      .rotateSecret(created.id, rotation as SecretRotation, 'any')
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InvalidInputError);
    expect(refusal).toMatchObject({ field });
    expect(JSON.stringify(refusal) + String(refusal)).not.toContain(FIRST);
    expect(await subscribers.findById(created.id, 'any')).toEqual(created);
  });

  it('reaches nothing of another owner, and knows no id that cannot be one', async () => {
    const created = await subscribers.create({ ...VALID, owner: 'ann' });

    for (const owner of ['bob', 'Ann', null]) {
      expect(await subscribers.rotateSecret(created.id, {}, { owner })).toBeNull();
    }
    expect(await subscribers.rotateSecret('a\0b', {}, 'any')).toBeNull();
    expect(await subscribers.findById(created.id, 'any')).toEqual(created);
  });
});

describe('scopes, ids and pages', () => {
  it('reaches nothing of another owner', async () => {
    const { id } = await subscribers.create({ ...VALID, owner: 'ann' });
    const bob = { owner: 'bob' };

    expect(await subscribers.findById(id, bob)).toBeNull();
    expect(await subscribers.update(id, { enabled: false }, bob)).toBeNull();
    expect(await subscribers.delete(id, bob)).toBe(false);
    expect(await subscribers.list({ limit: 10 }, bob)).toEqual({ items: [], next: null });
    expect(await subscribers.delete(id, { owner: 'ann' })).toBe(true);
  });

  it.each([undefined, null, 'all', {}, { ownr: 'ann' }, { owner: 7 }])(
    'refuses %j for a scope',
    async (scope) => {
      const { id } = await subscribers.create(VALID);
      for (const call of [
        () => subscribers.findById(id, scope as never),
        () => subscribers.update(id, {}, scope as never),
        () => subscribers.rotateSecret(id, {}, scope as never),
        () => subscribers.delete(id, scope as never),
        () => subscribers.list({}, scope as never),
        () => subscribers.verify(id, VALID.url, scope as never),
      ]) {
        await expect(call()).rejects.toMatchObject({ field: 'scope' });
      }
    },
  );

  it.each(['', 'a\0b', 'x'.repeat(65), 'é', 7, null, {}])('knows no id %j', async (id) => {
    expect(await subscribers.findById(id as string, 'any')).toBeNull();
    expect(await subscribers.update(id as string, {}, 'any')).toBeNull();
    expect(await subscribers.delete(id as string, 'any')).toBe(false);
  });

  it.each([0, -1, 1.5, 1001, Number.NaN, '5'])('refuses a page of %j', async (limit) => {
    await expect(subscribers.list({ limit: limit as number }, 'any')).rejects.toMatchObject({
      field: 'limit',
    });
  });

  it('lists 50 unless the caller says how many', async () => {
    for (let count = 0; count < 51; count++) await subscribers.create({ ...VALID, owner: 'ann' });

    const first = await subscribers.list({}, { owner: 'ann' });
    const second = await subscribers.list({ after: first.next }, { owner: 'ann' });

    expect([first.items.length, second.items.length, second.next]).toEqual([50, 1, null]);
  });

  it('refuses a cursor that cannot be one', async () => {
    await expect(subscribers.list({ limit: 1, after: 'a\0' }, 'any')).rejects.toMatchObject({
      field: 'after',
    });
  });
});

describe('a subscriber that is challenged', () => {
  const mine = 'https://mine.example.com/';
  const theirs = 'https://theirs.example.com/';
  const terms = { isChallenged: true };

  it('is verified anew at another URL, and not at the same one', async () => {
    const { id } = await subscribers.create({ ...VALID, url: mine }, terms);
    await subscribers.verify(id, mine, 'any');

    const changes = { url: mine, description: 'the same' };
    const same = await subscribers.update(id, changes, 'any', terms);
    expect(same).toMatchObject({ ...changes, verification: 'verified' });
    const moved = await subscribers.update(id, { url: theirs }, 'any', terms);
    expect(moved).toMatchObject({ url: theirs, verification: 'pending' });
    expect(await subscribers.verify(id, mine, 'any')).toBeNull();
    expect(await subscribers.update('sub_none', { url: theirs }, 'any', terms)).toBeNull();
  });

  it('cannot take a verification to another URL by changes at the same time', async () => {
    const { id } = await subscribers.create({ ...VALID, url: theirs }, terms);
    const read = repository.findById.bind(repository);
    repository.findById = async (...args) => {
      repository.findById = read;
      const found = await read(...args);
      // After this change has seen that the URL is the same: one to an endpoint that answers its challenge.
      await subscribers.update(id, { url: mine }, 'any', terms);
      await subscribers.verify(id, mine, 'any');
      return found;
    };

    const changed = await subscribers.update(id, { url: theirs }, 'any', terms);
    expect(changed).toMatchObject({ url: theirs, verification: 'pending' });
  });
});
