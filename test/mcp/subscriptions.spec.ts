import { inspect } from 'node:util';
import type { INestApplication } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Deliveries,
  generateSecret,
  Subscribers,
  type SubscriberUpdate,
  WebhookDispatcher,
} from '../../lib/index.js';
import { McpEvents } from '../../lib/mcp/index.js';
import type { ScriptedReceiver } from '../../lib/testing/index.js';
import { echo, McpApps, verify } from '../support/apps/mcp-apps.js';
import { EVERY_DIALECT } from '../support/places.js';
import { Receiver } from '../support/receiver.js';

const MINUTE = 60_000;

describe.each(EVERY_DIALECT)('a subscription on %j', (place) => {
  const shared = '/one-for-all';

  let apps: McpApps;
  let other: INestApplication;
  let receiver: ScriptedReceiver;

  beforeAll(async () => {
    apps = await McpApps.open(place);
    other = await apps.start();
    ({ receiver } = apps);
  });
  afterAll(() => apps.close());
  beforeEach(() => {
    apps.shift = 0;
    receiver.clear();
    receiver.otherwise(echo);
  });

  it('is signed as Standard Webhooks, with the secret before for five minutes more', async () => {
    const [old, fresh] = [generateSecret(), generateSecret()];
    const first = await apps.subscribe('dora', { secret: old });
    await apps.subscribe('dora', { secret: old });
    expect(await apps.subscribe('dora', { secret: fresh })).toMatchObject({ id: first.id });
    await apps.subscribe('dora', { args: { customer: 'none' } });
    const sent = await apps.send({ customer: 'c1' });
    const delivery = await receiver.waitFor(({ id }) => id === sent);
    for (const secret of [old, fresh]) verify(delivery, secret);
    expect(delivery.json).toEqual({
      eventId: sent,
      name: 'order.paid',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: { customer: 'c1' },
    });
    expect(delivery.headers).toMatchObject({ 'x-mcp-subscription-id': first.id });
    expect(Object.keys(delivery.headers).filter((name) => name.startsWith('hook-'))).toEqual([]);
    // One challenge for all of them, signed with the secret of that moment.
    const [challenge] = receiver.received;
    verify(challenge!, old);
    expect(challenge!.id).toMatch(/^msg_verification_/);
    expect(receiver.received).toHaveLength(2);

    apps.shift = 5 * MINUTE + 1000;
    const later = await apps.send({ customer: 'c2' });
    const last = await receiver.waitFor(({ id }) => id === later);
    expect([old, fresh].map((secret) => last.isSignedWith(secret))).toEqual([false, true]);
    expect(await apps.revoke('dora')).toBe(2);
  });

  it('belongs to its principal, also at a URL that others have', async () => {
    const secrets = { erin: generateSecret(), frank: generateSecret() };
    const ids = [];
    for (const principal of ['erin', 'frank'] as const) {
      const secret = secrets[principal];
      ids.push((await apps.subscribe(principal, { path: shared, secret })).id);
    }
    expect(new Set(ids).size).toBe(2);
    const before = await apps.stored('frank');
    // The same parameters as those of the other.
    await apps.subscribe('erin', { path: shared, secret: generateSecret(), ttlMs: 5 * MINUTE });
    await apps.unsubscribe('erin', shared);
    expect(await apps.stored('frank')).toEqual(before);
    expect(await apps.stored('erin')).toEqual([]);
    const sent = await apps.send({ customer: 'c3' });
    const delivery = await receiver.waitFor(({ id }) => id === sent);
    expect(delivery.isSignedWith(secrets.frank)).toBe(true);
    await apps.unsubscribe('frank', shared);
  });

  it('belongs to its principal, also beside those of the same owner', async () => {
    const secrets = { ann: generateSecret(), ben: generateSecret() };
    const limit = ['/1', '/2', shared];
    for (const path of limit) {
      await apps.subscribe('team/ann', { path, secret: secrets.ann });
      await apps.subscribe('team/ben', { path, secret: secrets.ben });
    }
    // Of each, since a proof of one is none of the other.
    expect(receiver.received.map((one) => one.isSignedWith(secrets.ann))).toEqual(
      limit.flatMap(() => [true, false]),
    );
    expect(await apps.revoke('team/ann')).toBe(3);
    await apps.unsubscribe('team/ann', shared);
    expect(await apps.stored('team')).toHaveLength(3);
    receiver.clear();
    const sent = await apps.send({ customer: 'c10' });
    await vi.waitFor(() => expect(apps.receivedOf(sent)).toHaveLength(3));
    for (const delivery of receiver.received) verify(delivery, secrets.ben);
    expect(await apps.revoke('team/ben')).toBe(3);
  });

  it('gets nothing after its end, retries included, and lives on when it is refreshed', async () => {
    const args = { customer: ['c4', 'c5', 'c6'] };
    const { refreshBefore } = await apps.subscribe('gina', { ttlMs: 5000, args });
    expect(Date.parse(refreshBefore) - Date.now()).toBeGreaterThan(55_000);
    await apps.subscribe('hana', { path: '/hana', args: { customer: ['c0', 'c5'] } });
    const busy = { status: 503, headers: { 'Retry-After': '35' } };
    receiver.otherwise((request) => (request.path === '/hana' ? echo(request) : busy));
    const failing = await apps.send({ customer: 'c4' });
    const deliveries = apps.app.get(Deliveries);
    const waiting = async () => (await deliveries.list({}, { owner: 'gina' })).items[0]!;
    await vi.waitFor(async () =>
      expect(await waiting()).toMatchObject({ attemptCount: 1, nextAt: expect.any(Number) }),
    );
    const { nextAt, attemptedAt } = await waiting();
    expect(nextAt! - attemptedAt!).toBeGreaterThanOrEqual(30_000);
    // Another one of the host, which is all agents of a vendor.
    const meanwhile = await apps.send({ customer: 'c0' });
    await receiver.waitFor(({ id }) => id === meanwhile);
    // Well before its end, whatever the jitter.
    apps.shift = nextAt! - Date.now();
    await vi.waitFor(() => expect(apps.receivedOf(failing)).toHaveLength(2));
    const [first, second] = apps
      .receivedOf(failing)
      .map(({ headers }) => headers['webhook-timestamp']);
    expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(30);

    apps.shift = 61_000;
    const late = await apps.send({ customer: 'c5' });
    // Its recipients are looked for at once, and before the subscription is refreshed.
    await receiver.waitFor(({ id }) => id === late);
    // Its lease would end with the next shift, and its recipients be looked for once more, gina among them by then.
    await vi.waitFor(async () => {
      const { items } = await deliveries.list({ status: 'succeeded' }, { owner: 'hana' });
      expect(items.map(({ messageId }) => messageId)).toContain(late);
    });
    apps.shift = 10 * MINUTE;
    await vi.waitFor(async () => {
      const { items } = await deliveries.list({ status: 'failed' }, { owner: 'gina' });
      expect(items).toMatchObject([{ messageId: failing, reason: 'expired' }]);
    });
    receiver.otherwise(echo);
    await apps.subscribe('gina', { args });
    apps.shift += 60 * MINUTE - 1000;
    await apps.subscribe('gina', { args });
    apps.shift += 30 * MINUTE;
    const after = await apps.send({ customer: 'c6' });
    await receiver.waitFor(({ id }) => id === after);
    expect(apps.receivedOf(failing)).toHaveLength(2);
    expect(apps.receivedOf(late).map(({ path }) => path)).toEqual(['/hana']);
    expect(await apps.revoke('gina')).toBe(1);
  });

  it('survives an answer 410, and gets no body that is too long', async () => {
    await apps.subscribe('hugo', {});
    receiver.answer(410);
    const gone = await apps.send({ customer: 'c7' });
    const failed = async () =>
      (await apps.app.get(Deliveries).list({ status: 'failed' }, { owner: 'hugo' })).items;
    await vi.waitFor(async () => expect(await failed()).toHaveLength(1));
    const long = await apps.send({ customer: 'x'.repeat(256 * 1024) });
    const after = await apps.send({ customer: 'c8' });
    await receiver.waitFor(({ id }) => id === after);
    expect(apps.receivedOf(long)).toEqual([]);
    await vi.waitFor(async () => expect(await failed()).toHaveLength(2));
    expect((await failed()).map(({ messageId }) => messageId)).toEqual(
      expect.arrayContaining([gone, long]),
    );
    expect(await apps.stored('hugo')).toMatchObject([{ enabled: true }]);
    await apps.unsubscribe('hugo');
  });

  it('is one, when two processes are asked for it at once', async () => {
    const secret = generateSecret();
    // With these it is the last one that is allowed.
    for (const path of ['/1', '/2']) await apps.subscribe('ivy', { path });
    const answers = await Promise.all(
      [apps.app, other, apps.app, other].map((process, at) => {
        // The order of names does not matter.
        const entries = Object.entries({ customer: 'c1', total: 5 });
        const args = Object.fromEntries(at < 2 ? entries : entries.toReversed());
        return apps.subscribe('ivy', { secret, process, args });
      }),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await apps.stored('ivy')).toHaveLength(3);
    expect(await apps.revoke('ivy')).toBe(3);
  });

  it('shows no secret when the database refuses to store it', async () => {
    const database = apps.app.get(DataSource);
    const rename = (one: string, other: string) =>
      database.query(`ALTER TABLE thorn_subscribers RENAME COLUMN ${one} TO ${other}`);
    const secret = generateSecret();
    await rename('host_slot', 'gone');
    const error = await apps.subscribe('vera', { secret }).catch((thrown: unknown) => thrown);
    await rename('gone', 'host_slot');
    expect(error).toMatchObject({ message: expect.stringContaining('host_slot') });
    expect(inspect(error, { depth: Infinity })).not.toContain(secret);
    expect(apps.logs.filter((line) => line.includes(secret))).toEqual([]);
  });

  it('has its id and name again after a refresh, whatever its owner has made of it', async () => {
    const day = 24 * 60 * MINUTE;
    const { id, refreshBefore } = await apps.subscribe('olga', { ttlMs: 1e18 });
    expect(Date.parse(refreshBefore) - Date.now()).toBeLessThanOrEqual(day);
    const [subscriber] = await apps.stored('olga');
    const change = (changes: SubscriberUpdate) =>
      apps.app
        .get(Subscribers)
        .update(subscriber!.id, changes, { owner: 'olga' }, { isChallenged: true });
    const isDelivered = async () => {
      await apps.subscribe('olga', {});
      const sent = await apps.send({ customer: 'c9' });
      const { headers } = await receiver.waitFor((one) => one.id === sent);
      expect(headers).toMatchObject({ 'x-mcp-subscription-id': id });
    };
    await change({ metadata: {} });
    await isDelivered();
    await change({ url: new URL('/elsewhere', receiver.url).href });
    await isDelivered();
    await change({ url: new URL('/elsewhere', receiver.url).href });
    await change({ url: subscriber!.url });
    await isDelivered();
    // Each time that it had been moved.
    expect(receiver.received.filter((one) => one.id.startsWith('msg_verification_'))).toHaveLength(
      3,
    );
    await apps.unsubscribe('olga');
  });

  it('ends when its principal is revoked, and its endpoint is told', async () => {
    const secret = generateSecret();
    await apps.subscribe('jack', { secret });
    await apps.subscribe('kim', {});
    expect(await apps.revoke('jack')).toBe(1);
    const told = receiver.received.at(-1)!;
    verify(told, secret);
    expect(told.json).toEqual({
      type: 'terminated',
      error: { code: -32012, message: expect.any(String), data: {} },
    });
    expect(await apps.stored('jack')).toEqual([]);
    expect(await apps.stored('kim')).toHaveLength(1);
    await apps.unsubscribe('kim');
  });

  it('does not outlive the revocation of its principal when it is created meanwhile', async () => {
    receiver.otherwise((request) => {
      const answer = echo(request);
      return typeof answer === 'number' ? answer : { ...answer, delay: 200 };
    });
    const creation = apps.subscribe('rick', {});
    await receiver.waitFor(1);
    expect(await apps.revoke('rick')).toBe(1);
    await creation;
    expect(await apps.stored('rick')).toEqual([]);
  });

  it('is refused when another process has revoked its principal meanwhile', async () => {
    const busy = await Receiver.start();
    busy.status = 200;
    // With the challenge.
    busy.bodyOf = ({ body }) => body.toString();
    let answer = () => {};
    busy.hold = new Promise<void>((resolve) => (answer = resolve));
    const asked = { process: other, path: busy.url };
    const creation = apps.subscribe('ruth', asked).catch((error: unknown) => error);
    await busy.waitFor(1);
    apps.barred.add('ruth');
    expect(await apps.revoke('ruth')).toBe(0);
    answer();
    expect(await creation).toMatchObject({ kind: 'Forbidden' });
    expect(await apps.stored('ruth')).toEqual([]);
    await busy.stop();
  });

  it('ends with a refresh that is no longer allowed', async () => {
    await apps.subscribe('luis', {});
    apps.barred.add('luis');
    const error = await apps.refusal('events/subscribe', apps.paramsOf({}), 'luis');
    expect(error.jsonRpc).toMatchObject({ code: -32012 });
    expect(await apps.stored('luis')).toEqual([]);
  });

  it('is refused as one too many, before a request goes out', async () => {
    for (const path of ['/1', '/2', '/3']) await apps.subscribe('mia', { path });
    receiver.clear();
    const error = await apps.refusal('events/subscribe', apps.paramsOf({ path: '/4' }), 'mia');
    expect(error.jsonRpc).toMatchObject({
      code: -32013,
      data: { limit: 'subscriptions', max: 3 },
    });
    expect(receiver.received).toEqual([]);
    // A refresh is none too many.
    await apps.subscribe('mia', { path: '/3' });
    expect(await apps.revoke('mia')).toBe(3);
  });

  it('is one of three, whatever process has created the others at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const asked = Array.from({ length: 6 }, (_, at) =>
        apps.subscribe('tess', { path: `/${at}`, process: [apps.app, other][at % 2]! }),
      );
      const answers = await Promise.allSettled(asked);
      expect(await apps.stored('tess')).toHaveLength(3);
      const refused = answers.flatMap((one) => (one.status === 'rejected' ? one.reason : []));
      for (const error of refused) expect(error.jsonRpc).toMatchObject({ code: -32013 });
      expect(refused).toHaveLength(3);
      expect(await apps.revoke('tess')).toBe(3);
    }
  });

  it('takes the place of one that has ended', async () => {
    for (const path of ['/1', '/2', '/3']) await apps.subscribe('uma', { path, ttlMs: MINUTE });
    apps.shift = MINUTE + 1;
    for (const path of ['/4', '/3', '/5']) await apps.subscribe('uma', { path });
    const error = await apps.refusal('events/subscribe', apps.paramsOf({ path: '/1' }), 'uma');
    expect(error.jsonRpc).toMatchObject({ code: -32013 });
    expect(await apps.revoke('uma')).toBe(3);
  });

  it('is refused as one of too many at once, before their endpoints are asked', async () => {
    const busy = await Receiver.start();
    busy.status = 404;
    let answer = () => {};
    busy.hold = new Promise<void>((resolve) => (answer = resolve));
    const codes: number[] = [];
    const asked = Array.from({ length: 8 }, async (_, at) => {
      const params = apps.paramsOf({ path: `${busy.url}/${at}` });
      codes.push((await apps.refusal('events/subscribe', params, 'nick')).jsonRpc.code);
    });
    await vi.waitFor(() => expect(codes).toEqual(Array(5).fill(-32013)));
    answer();
    await Promise.all(asked);
    expect(codes.slice(5)).toEqual(Array(3).fill(-32015));
    expect(busy.requests).toHaveLength(3);
    await busy.stop();
  });

  it('is not needed to read what was sent since a cursor, and what was asked for', async () => {
    const read = (given: object, principal = 'pia') =>
      apps.app.get(McpEvents).handle(
        'events/poll',
        {
          name: 'user.{username}.renamed',
          arguments: { username: 'joe', to: ['then', 'after'] },
          ...given,
        },
        { principal },
      );
    const dispatcher = apps.app.get(WebhookDispatcher);
    await dispatcher.send('user.joe.renamed', { to: 'before' });
    const first = await read({});
    expect(first).toMatchObject({ events: [], truncated: false, hasMore: false });
    const ids = [];
    for (const [name, to] of [
      ['joe', 'after'],
      ['jane', 'after'],
      ['joe', 'never'],
      ['joe', 'after'],
    ]) {
      ids.push((await dispatcher.send(`user.${name}.renamed`, { to })).id);
    }
    await dispatcher.send('order.paid', {});
    const name = 'user.{username}.renamed';
    const timestamp = expect.any(String);
    // After the lag of MariaDB, and of what else is open on the server.
    apps.shift = 10_000;
    const page = await vi.waitFor(async () => {
      const all = await read({ cursor: first['cursor'] });
      expect(all['events']).toHaveLength(2);
      return all;
    });
    expect(page).toEqual({
      resultType: 'complete',
      events: [ids[0], ids[3]].map((eventId) => ({
        eventId,
        name,
        timestamp,
        data: { to: 'after' },
      })),
      cursor: expect.any(String),
      truncated: false,
      hasMore: false,
      nextPollMs: 5000,
    });
    const [single, pages] = [[] as unknown[], [first]];
    do {
      const next = await read({ cursor: pages.at(-1)!['cursor'], maxEvents: 1 });
      single.push(next['events']);
      pages.push(next);
    } while (pages.at(-1)!['hasMore']);
    expect(pages.at(-2)).toMatchObject({ hasMore: true, nextPollMs: 0 });
    // One message was looked at for each page.
    expect(single.filter((found) => (found as object[]).length > 1)).toEqual([]);
    expect(single.flat()).toEqual(page['events']);
    const old = await read({ cursor: first['cursor'], maxAgeMs: 0 });
    expect(old).toMatchObject({ events: [], truncated: true });
    const foreign = read({ cursor: first['cursor'] }, 'quinn');
    await expect(foreign).rejects.toMatchObject({ data: { fields: ['cursor'] } });
  });
});
