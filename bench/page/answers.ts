import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type CanActivate, Injectable } from '@nestjs/common';
import type { Browser } from 'playwright-core';
import { DataSource } from 'typeorm';
import { SubscriberRepository } from '../../lib/extending/index.js';
import { Deliveries } from '../../lib/index.js';
import { startChromium } from '../../test/services/chromium.js';
import { subscriber } from '../../test/support/apps/outbox-app.js';
import { OPERATOR_SCREENS, OWNER_SCREENS, screenPath } from '../../test/support/page-screens.js';
import { analyzeTables } from '../../test/support/seed-due-deliveries.js';
import { seededSubscriber, seedLog } from '../../test/support/seed-log.js';
import { median, paced, reportFigure, reportValue } from '../harness.js';
import { Services } from '../outbox/services.js';
import { type Api, type PageFiles, startPage } from './start-page.js';

const ROWS = Number(process.env['THORN_BENCH_ROWS'] ?? 1_000_000);
const DAYS = 30;
const ENDPOINTS = 200;
const FAILING = 5;
/** The owners of endpoints: the first has half of them. */
const OWNERS = ['alice', 'alice', 'bob', 'carol'];
const MOST_REQUESTS = 5;
const MOST_MILLISECONDS = 100;

@Injectable()
class AnybodyGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

/** A request of the page, and the time until the server had answered it. */
interface Answer {
  readonly url: string;
  readonly milliseconds: number;
}

/**
 * The requests of each screen and the sum of the times of their answers, in front of 200 endpoints of several owners and
 * the deliveries of 30 days, a million or as many as `THORN_BENCH_ROWS` says.
 */
export async function answers({ files }: { readonly files: PageFiles }): Promise<void> {
  const services = new Services();
  const browser = await startChromium();
  try {
    for (const kind of ['file', 'postgres'] as const) {
      const options = kind === 'file' ? services.sqlite() : await services.postgres();
      const api = await startPage(files, { options }, { operatorApi: { guards: [AnybodyGuard] } });
      try {
        await seed(api, kind);
        await measure(browser, api, kind === 'file' ? 'sqlite' : 'postgres');
      } finally {
        await api.app.close();
      }
    }
  } finally {
    await browser.close();
    await services.stop();
  }
}

async function seed({ app }: Api, kind: 'file' | 'postgres'): Promise<void> {
  const subscribers = app.get(SubscriberRepository);
  for (let at = 0; at < ENDPOINTS; at++) {
    const owner = OWNERS[at % OWNERS.length]!;
    const url = `https://hooks-${at % 40}.example.com/endpoint-${at}`;
    await subscribers.create(subscriber(url, { id: seededSubscriber(at), owner }));
  }
  const database = app.get(DataSource);
  const rows = (sql: string) => database.query<Record<string, unknown>[]>(sql);
  const end = Date.now();
  const step = Math.floor((DAYS * 86_400_000) / ROWS);
  // One of a hundred has failed, one of a thousand waits, one of ten has had three attempts.
  const mix = {
    subscriber: `(s.n % ${ENDPOINTS})`,
    reason: "CASE WHEN s.n % 101 = 7 THEN 'exhausted' END",
    isPending: 's.n % 1009 = 8',
    event: "CASE WHEN s.n % 7 < 3 THEN 'order.paid' ELSE 'article.created' END",
    requests: 'CASE WHEN s.n % 11 = 0 THEN 3 ELSE 1 END',
    errorCode: 'NULL',
    failedStatus: '503',
  };
  await seedLog({ rows }, kind, ROWS, 1, mix, { end, step });
  for (let at = 0; at < FAILING; at++) {
    const since = end - (at + 1) * 3_600_000;
    await rows(
      `INSERT INTO thorn_health (subscriber_id, failing_since, failing_messages, announced, token)
        VALUES ('${seededSubscriber(at)}', ${since}, ${at + 1}, 0, 'token')`,
    );
  }
  await analyzeTables({ rows }, kind);
}

async function measure(browser: Browser, api: Api, database: string): Promise<void> {
  const taken: Answer[] = [];
  (api.app.getHttpServer() as Server).on(
    'request',
    ({ url = '' }: IncomingMessage, response: ServerResponse) => {
      if (!url.startsWith('/hooks')) return;
      const began = performance.now();
      response.once('finish', () => taken.push({ url, milliseconds: performance.now() - began }));
    },
  );
  const { items } = await api.app
    .get(Deliveries)
    .list({ subscriberId: seededSubscriber(0), status: 'failed', limit: 1 }, 'any');
  const [{ id: delivery, messageId: message }] = items as [(typeof items)[number]];
  const ids = { id: seededSubscriber(0), delivery, message };
  const { rounds } = paced({ warmUp: 0, turn: 0, rounds: 3 });
  const found = new Map<string, Answer[][]>();
  // The first is not counted: statements are prepared, and code is compiled.
  for (let round = 0; round <= rounds; round++) {
    for (const screen of [...OWNER_SCREENS, ...OPERATOR_SCREENS]) {
      taken.length = 0;
      await open(browser, `${api.url}/webhooks#${screenPath(screen, ids)}`);
      // Live figures are read again after some seconds.
      const once = [...new Map(taken.toReversed().map((one) => [one.url, one])).values()];
      if (round > 0) found.set(screen, [...(found.get(screen) ?? []), once]);
    }
  }
  for (const [screen, visits] of found) {
    const name = `page.answers-${database} ${screen}`;
    const sums = visits.map((all) => all.reduce((sum, one) => sum + one.milliseconds, 0));
    reportValue(
      `${name} requests`,
      Math.max(...visits.map(({ length }) => length)),
      'requests',
      MOST_REQUESTS,
    );
    reportValue(name, median(sums), 'ms', MOST_MILLISECONDS);
    reportFigure(`${name} at best`, Math.min(...sums), 'ms');
    if (median(sums) > MOST_MILLISECONDS) {
      for (const one of visits.at(-1)!)
        console.error(`  ${one.milliseconds.toFixed(1)} ms ${one.url}`);
    }
  }
}

async function open(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.locator('.skeleton').first().waitFor({ state: 'detached' });
  await page.waitForLoadState('networkidle');
  await context.close();
}
