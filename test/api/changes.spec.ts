import { ForbiddenException, type LoggerService } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, BearerGuard, owners, platforms, startApi } from '../support/apps/api-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { EVERY_DIALECT } from '../support/places.js';

const NOBODY = 'sub_00000000-0000-7000-8000-000000000000';
const subscriber = { url: 'https://example.com/hooks', events: ['article.*'] };

describe.each(platforms)('the changes of a subscriber on %s', (platform) => {
  let api: Api;
  let errors: string[];
  let actor: () => unknown;

  beforeEach(async () => {
    errors = [];
    actor = () => undefined;
    const silent = () => undefined;
    const error = (line: unknown) => void errors.push(String(line));
    const logger: LoggerService = { log: silent, warn: silent, error };
    api = await startApi(platform, {
      api: { ...owners, actor: () => actor() as string },
      thorn: { operatorApi: { guards: [BearerGuard] } },
      configure: (app) => app.useLogger(logger),
    });
  });
  afterEach(() => api.app.close());

  const create = async () => (await api.send('POST', '/hooks', { body: subscriber })).body;
  const describeAs = (self: string, description: string) =>
    api.send('PATCH', self, { body: { description } });

  it('come newest first, in pages that meet', async () => {
    const { self, id } = await create();
    for (const text of ['a', 'b', 'c', 'd']) await describeAs(self, text);
    for (const path of [`${self}/changes`, `/hooks-operator/subscribers/${id}/changes`]) {
      const all = (await api.send('GET', path)).body;
      expect(all.items.map((one: { kind: string }) => one.kind)).toEqual([
        ...['changed', 'changed', 'changed', 'changed', 'created'],
      ]);
      const pages: unknown[] = [];
      let next: string | null = '';
      while (next !== null) {
        const after: string = next === '' ? '' : `&after=${next}`;
        const { body } = await api.send('GET', `${path}?limit=2${after}`);
        expect(body.items.length).toBeLessThanOrEqual(2);
        pages.push(...body.items);
        ({ next } = body);
      }
      expect(pages).toEqual(all.items);
    }
  });

  it('refuse an `after` that no page of the subscriber has answered', async () => {
    const { self, id } = await create();
    for (const text of ['a', 'b']) await describeAs(self, text);
    const other = await create();
    await describeAs(other.self, 'c');
    const [foreign] = (await api.send('GET', `${other.self}/changes`)).body.items;
    for (const path of [`${self}/changes`, `/hooks-operator/subscribers/${id}/changes`]) {
      for (const after of [foreign.id, NOBODY, 'x']) {
        const { status, body } = await api.send('GET', `${path}?after=${after}`);
        expect({ after, status, body }).toMatchObject({
          ...{ after, status: 400 },
          body: { errors: [{ field: 'after', reason: 'must be the "next" of an earlier page' }] },
        });
      }
    }
  });

  it('are there after the removal, and never for an unknown id or another owner', async () => {
    const { self, id } = await create();
    const of = (path: string) => `${path}/changes`;
    const operators = (one: string) => of(`/hooks-operator/subscribers/${one}`);
    const statusOf = async (path: string, as: 'alice' | 'bob' = 'alice') =>
      (await api.send('GET', path, { as })).status;
    expect(await statusOf(of(self))).toBe(200);
    expect(await statusOf(of(self), 'bob')).toBe(404);
    for (const one of [NOBODY, 'x', `${id}x`, '%00', 'a'.repeat(65)]) {
      expect([one, await statusOf(of(`/hooks/${one}`))]).toEqual([one, 404]);
      expect([one, await statusOf(operators(one))]).toEqual([one, 404]);
    }
    expect(await statusOf(operators(id), 'bob')).toBe(200);
    await api.send('DELETE', self);
    expect(await statusOf(of(self), 'bob')).toBe(404);
    for (const path of [of(self), operators(id)]) {
      const { items } = (await api.send('GET', path)).body;
      expect(items).toMatchObject([{ kind: 'removed', by: 'alice' }, { kind: 'created' }]);
    }
  });

  it('name who acts, and the owner where nobody else does', async () => {
    const { self } = await create();
    actor = () => 'ann <ann@example.com>';
    await describeAs(self, 'a');
    actor = () => 7;
    await describeAs(self, 'b');
    const { items } = (await api.send('GET', `${self}/changes`)).body;
    expect(items.map((one: { by: string }) => one.by)).toEqual([
      ...['7', 'ann <ann@example.com>', 'alice'],
    ]);
  });

  it.each([
    ['a value that is no name', () => ({ id: 1 })],
    ['a line break', () => 'ann\r\nset-cookie: a=b'],
    ['a text that is too long', () => 'x'.repeat(256)],
    ['many characters of two units', () => '\u{1F600}'.repeat(200)],
    [
      'an error',
      () => {
        throw new TypeError('no user of https://ann:topsecret@example.com/');
      },
    ],
  ])('%s of api.actor is answered with 500, changes nothing, and is explained', async (_, as) => {
    const { self } = await create();
    actor = as;
    const answer = await describeAs(self, 'changed');
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toMatch(/topsecret|set-cookie|no user/);
    expect(errors.filter((line) => line.includes('api.actor'))).toHaveLength(1);
    expect(errors.join()).not.toContain('topsecret');
    actor = () => undefined;
    expect((await api.send('GET', self)).body.description).toBeNull();
    expect((await api.send('GET', `${self}/changes`)).body.items).toHaveLength(1);
  });

  it('an exception of Nest of api.actor is the answer', async () => {
    const { self } = await create();
    actor = () => {
      throw new ForbiddenException('not today');
    };
    expect((await describeAs(self, 'changed')).status).toBe(403);
    expect(errors).toEqual([]);
  });
});

describe.each(EVERY_DIALECT)('the changes of a subscriber on %j', ({ kind, ...more }) => {
  let store: TestDatabase;
  let receiver: ScriptedReceiver;
  let processes: readonly [Api, Api];

  beforeEach(async () => {
    const made = await createDatabase(kind);
    store = { ...made, options: { ...made.options, ...more } as TestDatabase['options'] };
    receiver = await ScriptedReceiver.start();
    const thorn = { clock: MovableClock, recipients: LOOPBACK_RECIPIENTS };
    const first = await startApi('express', { store, thorn });
    processes = [first, await startApi('express', { store, thorn })];
  });
  afterEach(async () => {
    for (const { app } of processes) await app.close();
    await receiver.stop();
    await store.drop();
  });

  it('come in the order of their commits, whatever the clocks of processes say', async () => {
    const [ahead, behind] = processes;
    ahead.app.get<MovableClock>(Clock).advance(60_000);
    receiver.otherwise(410);
    const body = { url: receiver.url, events: ['order.paid'] };
    const { self } = (await ahead.send('POST', '/hooks', { body })).body;
    for (const [api, description] of [
      ...([
        [behind, 'a'],
        [ahead, 'b'],
        [behind, 'c'],
        [behind, 'd'],
      ] as const),
    ]) {
      expect((await api.send('PATCH', self, { body: { description } })).status).toBe(200);
    }
    await ahead.send('PATCH', self, { body: { metadata: { a: '1' } } });
    await behind.send('POST', `${self}/disable`, { body: {} });
    const page = async (query: string) =>
      (await behind.send('GET', `${self}/changes${query}`)).body as {
        readonly items: readonly { readonly kind: string; readonly fields: readonly string[] }[];
        readonly next: string | null;
      };
    const { items } = await page('');
    expect(items.map(({ kind, fields }) => [kind, ...fields])).toEqual([
      ['changed', 'enabled'],
      ['changed', 'metadata'],
      ...['d', 'c', 'b', 'a'].map(() => ['changed', 'description']),
      ['created'],
    ]);
    const first = await page('?limit=3');
    const second = await page(`?limit=3&after=${first.next}`);
    const third = await page(`?limit=3&after=${second.next}`);
    expect([...first.items, ...second.items, ...third.items]).toEqual(items);
    expect(third.next).toBeNull();
  });
});
