import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { FanOut } from '../../lib/dispatch/index.js';
import type { WebhookFormats } from '../../lib/message/index.js';
import { DeliveryReports } from '../../lib/outbox/index.js';
import type { Deliveries } from '../../lib/outbox/index.js';
import { keyOf } from '../../lib/outbox/tables/keys.js';
import { analyzeTables } from '../support/seed-due-deliveries.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { printFigures } from '../support/print-figures.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';

type Query = Parameters<Deliveries['list']>[0];
type Scope = Parameters<Deliveries['list']>[1];

const IS_LONG = process.env['THORN_LONG'] === '1';
const ROWS = IS_LONG ? 1_000_000 : 20_000;
const REPEATED = IS_LONG ? 40 : 2;
/** Milliseconds: a delivery each. */
const STEP = IS_LONG ? 1000 : 50_000;
const END = 1_790_000_000_000;
const EVENTS = ['order.paid', 'order.changed', 'article.created', 'article.changed'];
const SUBSCRIBERS = 120;
const PAUSE = 5;

function idAt(at: number): string {
  const stamp = timeAt(at).toString(16).padStart(12, '0');
  return `dlv_${stamp.slice(0, 8)}-${stamp.slice(8)}-7000-8000-${String(at).padStart(12, '0')}`;
}

function timeAt(at: number): number {
  return END - (ROWS - at) * STEP;
}

/** One of a hundred has failed, one of a thousand waits. The last twenty subscribers get one of a hundred. */
function rowAt(at: number) {
  const time = timeAt(at);
  const isFailed = at % 100 === 7;
  const isPending = at % 1000 === 8;
  const n = at % 100 === 1 || at % 1000 === 507 ? 100 + (((at / 100) % 20) | 0) : at % 100;
  return {
    id: keyOf('dlv_', idAt(at)),
    subscriberId: keyOf('sub_', `sub_of_${n}`),
    givenSubscriberId: `sub_of_${n}`,
    messageId: keyOf('msg_', `msg_${at}`),
    givenMessageId: `msg_${at}`,
    event: at % 10_000 === 3 ? 'stock.low' : EVENTS[at % 4]!,
    status: isFailed ? 'failed' : isPending ? 'pending' : 'succeeded',
    reason: isFailed ? 'exhausted' : null,
    ...{ attempts: 1, throttled: 0, requests: 1, lease: null },
    ...(isPending ? { host: 'x', dueAt: END * 2, finishedAt: null } : { host: null, dueAt: null }),
    ...{ attemptedAt: time, startedAt: time, duration: (at % 40) + 3 },
    finishedAt: isPending ? null : time,
    responseStatus: isFailed || isPending ? (at % 3 === 0 ? 404 : 503) : 200,
    errorCode: null,
  };
}

const LARGE: Scope = { owner: 'large' };
const SMALL: Scope = { owner: 'small' };
const QUERIES: readonly [name: string, query: Query, scope: Scope][] = [
  ['all', {}, 'any'],
  ['failed', { status: 'failed' }, 'any'],
  ['pending', { status: 'pending' }, 'any'],
  ['5xx', { statusClass: '5xx' }, 'any'],
  ['a rare event', { event: 'stock.*' }, 'any'],
  ['an unknown event', { event: 'none.*' }, 'any'],
  ['failed of a rare event', { status: 'failed', event: 'stock.low' }, 'any'],
  ['a message', { messageId: 'msg_4711' }, 'any'],
  ['a host', { host: 'host-7.example' }, 'any'],
  ['an owner of 100', {}, LARGE],
  ['failed of an owner of 100', { status: 'failed' }, LARGE],
  ['4xx of an owner of 100', { statusClass: '4xx' }, LARGE],
  ['an event of an owner of 100', { event: 'stock.low' }, LARGE],
  ['a small owner', {}, SMALL],
  ['failed of a small owner', { status: 'failed' }, SMALL],
  ['an event of a small owner', { event: 'stock.low' }, SMALL],
  ['one subscriber', { subscriberId: 'sub_of_5', event: 'order.paid' }, LARGE],
];

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  `a log of ${ROWS} deliveries on $kind`,
  ({ kind }) => {
    let place: TestDatabase;
    let rig: OutboxApp;
    afterEach(async () => {
      await rig.close();
      await place.drop();
    });

    it(
      'answers a page of any filter, and figures, in bounded time',
      { timeout: 900_000 },
      async () => {
        place = await createDatabase(kind);
        rig = await openOutboxApp(place, { worker: false, isLogged: false });
        const { clock, deliveries, strategy, subscribers } = rig;
        for (let n = 0; n < SUBSCRIBERS; n++) {
          const url = `https://host-${n}.example/`;
          const owner = n < 100 ? 'large' : 'small';
          await subscribers.create(subscriber(url, { id: `sub_of_${n}`, owner }));
        }
        const table = rig.dataSource.getRepository('ThornDelivery');
        for (let from = 0; from < ROWS; from += 1000) {
          await table.insert(Array.from({ length: 1000 }, (_, n) => rowAt(from + n)));
        }
        await analyzeTables(rig, kind);
        const slow: Record<string, number> = {};
        for (const [name, query, scope] of QUERIES) {
          const times: number[] = [];
          for (let n = 0; n < REPEATED; n++) {
            await sleep(PAUSE);
            // Anywhere in the log, not at its warm end alone.
            const at = n % 2 === 0 ? ROWS - 1 : Math.floor((ROWS / REPEATED) * (n + 0.5));
            const began = performance.now();
            const page = await deliveries.list({ ...query, after: idAt(at), limit: 50 }, scope);
            times.push(performance.now() - began);
            expect(page.items.length).toBeLessThanOrEqual(50);
          }
          const p95 = times.toSorted((one, other) => one - other)[
            Math.ceil(times.length * 0.95) - 1
          ]!;
          slow[name] = Math.round(p95 * 10) / 10;
        }
        printFigures(`p95 of pages among ${ROWS} deliveries on ${kind}`, slow);
        // A figure of time: it says something on a machine that has nothing else to do.
        if (IS_LONG) {
          for (const [name, p95] of Object.entries(slow)) expect(p95, name).toBeLessThan(50);
        }

        const reports = new DeliveryReports(
          strategy,
          deliveries,
          subscribers,
          {} as FanOut,
          {} as WebhookFormats,
          clock,
        );
        const until = new Date(END);
        const began = performance.now();
        const all = (await reports.figures({ by: 'day', until }, 'any'))!;
        const figures = performance.now() - began;
        const small = (await reports.figures({ by: 'day', until }, SMALL))!;
        printFigures(`figures of ${ROWS} deliveries on ${kind}`, {
          ...{ milliseconds: figures, attempts: all.total.attempts, small: small.total.attempts },
          milliseconds_of_small: performance.now() - began - figures,
        });
        expect(all.total.attempts).toBe(all.items.reduce((sum, { attempts }) => sum + attempts, 0));
        if (IS_LONG) {
          expect(all.countedSince).toBeGreaterThan(all.since);
          expect(figures).toBeLessThan(2000);
          expect(all.items.some(({ isComplete }) => isComplete)).toBe(true);
        } else {
          expect(all).toMatchObject({ countedSince: all.since, total: { attempts: ROWS } });
          expect(all.total.failed).toBe(ROWS / 100 + ROWS / 1000);
        }
      },
    );
  },
);
