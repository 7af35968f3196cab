import { afterEach, describe, expect, it } from 'vitest';
import { patternMatches } from '../../lib/subscriber/index.js';
import type { Deliveries } from '../../lib/outbox/index.js';
import { keyOf } from '../../lib/outbox/tables/keys.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';

type Query = Parameters<Deliveries['list']>[0];

const ROWS = 20_000;
const START = 1_700_000_000_000;
const EVENTS = ['order.paid', 'order.line.added', 'article.created', 'order_paid'];

interface Seeded {
  readonly at: number;
  readonly subscriber: number;
  readonly event: string;
  readonly status: 'succeeded' | 'failed' | 'pending';
  readonly responseStatus: number | null;
  readonly errorCode: string | null;
}

/** Mostly successes; what is rare is spread thinly over the whole log. */
function seededAt(at: number): Seeded {
  const common = { at, subscriber: at % 7, event: EVENTS[at % 3]! };
  const failed = { ...common, status: 'failed' as const };
  if (at % 5000 === 17) return { ...failed, responseStatus: 404, errorCode: null };
  if (at % 5000 === 18) return { ...failed, responseStatus: null, errorCode: 'timeout' };
  if (at % 5000 === 19) return { ...failed, responseStatus: null, errorCode: 'tls' };
  if (at % 5000 === 20) {
    return { ...common, status: 'pending', responseStatus: 503, errorCode: null };
  }
  const event = at % 6000 === 1 ? EVENTS[3]! : common.event;
  return { ...common, event, status: 'succeeded', responseStatus: 200, errorCode: null };
}

const SEEDED = Array.from({ length: ROWS }, (_, at) => seededAt(at));

/** Some of one moment, and of any state. */
function isAboutSeven({ at }: Seeded): boolean {
  return at % 20 === 3 || at % 5000 === 17;
}

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('the list of many deliveries on $kind', ({ kind }) => {
  let place: TestDatabase;
  let rig: OutboxApp;
  afterEach(async () => {
    await rig.close();
    await place.drop();
  });

  it('finds what it is asked for, in pages that end early', { timeout: 120_000 }, async () => {
    place = await createDatabase(kind);
    rig = await openOutboxApp(place, { worker: false, isLogged: false });
    for (let n = 0; n < 7; n++) {
      const owner = n < 3 ? 'ann' : 'bob';
      const url = `https://host-${n}.example/`;
      await rig.subscribers.create(subscriber(url, { id: `sub_of_${n}`, owner }));
    }
    for (let from = 0; from < ROWS; from += 1000) {
      await rig.dataSource
        .getRepository('ThornDelivery')
        .insert(SEEDED.slice(from, from + 1000).map(rowOf));
    }
    const about = SEEDED.filter((one) => isAboutSeven(one) || one.at === 1004);
    for (let from = 0; from < about.length; from += 1000) {
      await rig.dataSource
        .getRepository('ThornMessage')
        .insert(about.slice(from, from + 1000).map(messageOf));
    }
    const owners = { ann: [0, 1, 2], bob: [3, 4, 5, 6] };
    const queries: readonly [Query, (one: Seeded) => boolean][] = [
      [{ event: 'order_paid' }, ({ event }) => event === 'order_paid'],
      [{ event: 'order.*', status: 'failed' }, (one) => isOf(one, 'order.*', 'failed')],
      [{ event: '*.created', status: 'pending' }, (one) => isOf(one, '*.created', 'pending')],
      [{ subject: 'order-7' }, isAboutSeven],
      [{ subject: 'order-7', status: 'failed' }, (one) => isAboutSeven(one) && isFailed(one)],
      [
        { subject: 'order-7', event: '*.created', until: START + 9000 },
        (one) => isAboutSeven(one) && one.event === 'article.created' && one.at < 9000,
      ],
      [
        { subject: 'order-7', since: START + 15_003, event: 'order.*' },
        (one) => isAboutSeven(one) && patternMatches('order.*', one.event) && one.at >= 15_003,
      ],
      [
        { subject: 'order-7', messageId: `msg_${idOf(SEEDED[1003]!).slice(4)}` },
        ({ at }) => at === 1003,
      ],
      [{ subject: 'order-7', messageId: `msg_${idOf(SEEDED[1004]!).slice(4)}` }, () => false],
      [{ subject: 'ORDER-7' }, () => false],
      [{ since: START + 15_000, status: 'failed' }, (one) => one.at >= 15_000 && isFailed(one)],
      [
        { until: START + 5000, event: 'order_paid' },
        ({ at, event }) => at < 5000 && event === 'order_paid',
      ],
    ];
    for (const [query, isWanted] of queries) {
      const wanted = SEEDED.filter(isWanted);
      expect(await listed(query, 'any'), JSON.stringify(query)).toEqual(wanted.map(idOf).reverse());
      for (const [owner, subscribers] of Object.entries(owners)) {
        const own = wanted.filter((one) => subscribers.includes(one.subscriber));
        expect(await listed(query, { owner }), `${owner} ${JSON.stringify(query)}`).toEqual(
          own.map(idOf).reverse(),
        );
      }
    }
    // How far one page goes depends on the machine; the pages together go over everything.
    expect(await listed({ event: 'order.none' }, 'any')).toEqual([]);
  });

  async function listed(query: Query, scope: Parameters<Deliveries['list']>[1]) {
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const page = await rig.deliveries.list({ ...query, limit: 10, after }, scope);
      expect(page.items.length).toBeLessThanOrEqual(10);
      ids.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    return ids;
  }
});

function isFailed({ status }: Seeded): boolean {
  return status === 'failed';
}

function isOf(one: Seeded, pattern: string, status: string): boolean {
  return patternMatches(pattern, one.event) && one.status === status;
}

function idOf({ at }: Seeded): string {
  const stamp = (START + at).toString(16).padStart(12, '0');
  return `dlv_${stamp.slice(0, 8)}-${stamp.slice(8)}-7000-8000-${String(at).padStart(12, '0')}`;
}

function rowOf(one: Seeded) {
  const time = START + one.at;
  const isPending = one.status === 'pending';
  return {
    id: keyOf('dlv_', idOf(one)),
    subscriberId: keyOf('sub_', `sub_of_${one.subscriber}`),
    givenSubscriberId: `sub_of_${one.subscriber}`,
    messageId: idOf(one).slice(4),
    event: one.event,
    status: one.status,
    reason: isFailed(one) ? 'exhausted' : null,
    ...{ attempts: 1, throttled: 0, requests: 1, lease: null },
    ...(isPending ? { host: 'x', dueAt: time + 1, finishedAt: null } : { host: null, dueAt: null }),
    ...{ attemptedAt: time, startedAt: time, duration: 5 },
    finishedAt: isPending ? null : time,
    responseStatus: one.responseStatus,
    errorCode: one.errorCode,
  };
}

function messageOf(one: Seeded) {
  return {
    ...{ id: idOf(one).slice(4), event: one.event },
    ...{ time: START + one.at, audience: 'everyone', headers: '{}', settings: '{}' },
    ...{ recipients: '[]', body: '{}', subject: isAboutSeven(one) ? 'order-7' : 'order-8' },
  };
}
