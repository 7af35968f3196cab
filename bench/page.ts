import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { keyOf } from '../lib/outbox/tables/keys.js';
import { startChromium } from '../test/services/chromium.js';
import { createDatabase } from '../test/support/databases.js';
import { median, paced, reportValue } from './harness.js';
import { answers } from './page/answers.js';
import { searches } from './page/searches.js';
import { type Api, type PageFiles, startPage } from './page/start-page.js';
import { partsOf } from './parts.js';

const MILLION = 1_000_000;
const ENDPOINTS = 10;
/** Deliveries of three days. */
const APART = Math.floor((3 * 24 * 60 * 60_000) / MILLION);

interface PageBuild {
  pageFiles(): Promise<PageFiles>;
  sizesOf(files: PageFiles): { readonly first: number; readonly visitor: number };
}

/** The page: its size, and how soon it shows deliveries. */
export async function run(wanted: readonly string[]): Promise<void> {
  const build = (await import(pathToFileURL('tools/build-page.mjs').href)) as PageBuild;
  const files = await build.pageFiles();
  for (const { run: part } of partsOf<Ground>(
    'page',
    { size, deliveries, answers, searches },
    wanted,
  )) {
    await part({ build, files });
  }
}

interface Ground {
  readonly build: PageBuild;
  readonly files: PageFiles;
}

/** Bytes of gzip that a browser loads: for the first screen, and for all screens. */
async function size({ build, files }: Ground): Promise<void> {
  const { first, visitor } = build.sizesOf(files);
  reportValue('page.first-screen-kb', first, 'KB', 62);
  reportValue('page.visitor-kb', visitor, 'KB', 80);
}

/**
 * From the end of the document's answer to the first row of the owner's deliveries, of a million on SQLite, half of which are
 * of others. Each time in a browser's context of its own: nothing is cached.
 */
async function deliveries({ files }: Ground): Promise<void> {
  const database = await createDatabase('memory');
  const api = await startPage(files, database);
  const browser = await startChromium();
  try {
    await seed(api);
    const { rounds } = paced({ warmUp: 0, turn: 0, rounds: 9 });
    const times: number[] = [];
    // The first is not counted: statements are prepared, and code is compiled.
    for (let round = 0; round <= rounds; round++) times.push(await firstRow(browser, api.url));
    reportValue('page.deliveries-ms', median(times.slice(1)), 'ms', 500);
  } finally {
    await browser.close();
    await api.app.close();
    await database.drop();
  }
}

async function seed({ app, subscribers }: Api): Promise<void> {
  const ids: string[] = [];
  for (let at = 0; at < ENDPOINTS; at++) {
    const { id } = await subscribers.create({
      url: `https://hooks-${at}.example.com/`,
      events: ['*'],
      owner: at % 2 === 0 ? 'alice' : 'bob',
    });
    ids.push(keyOf('sub_', id));
  }
  const { DataSource } = await import('typeorm');
  const start = Date.now() - MILLION * APART;
  const subscriber = ids.map((id, at) => `WHEN ${at} THEN '${id}'`).join(' ');
  const key = (digit: number) =>
    `printf('%08x-%04x-7000-8${digit}00-%012x', time / 65536, time % 65536, n)`;
  await app.get(DataSource).query(
    `INSERT INTO thorn_deliveries (id, message_id, subscriber_id, event, status, attempts, throttled, requests,
      started_at, finished_at, duration, response_status, address)
      WITH RECURSIVE s(n, time) AS (SELECT 1, ${start} UNION ALL SELECT n + 1, time + ${APART} FROM s WHERE n < ${MILLION})
      SELECT ${key(1)}, ${key(0)}, CASE n % ${ENDPOINTS} ${subscriber} END, 'article.created', 'succeeded', 1, 0, 1,
        time + 20, time + 80, 60, 204, '127.0.0.1' FROM s`,
  );
  await app.get(DataSource).query('ANALYZE');
}

async function firstRow(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(`new MutationObserver((_, observer) => {
    if (document.querySelector('tbody tr') === null) return;
    observer.disconnect();
    requestAnimationFrame(() => { window.rowAt = performance.now(); });
  }).observe(document, { childList: true, subtree: true })`);
  await page.goto(`${url}/webhooks#/deliveries`);
  // Not waitForFunction(), whose evaluation the page's own policy refuses.
  await page.waitForSelector('tbody tr');
  await page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
  );
  const time = await page.evaluate<number>(
    `window.rowAt - performance.getEntriesByType('navigation')[0].responseEnd`,
  );
  await context.close();
  return time;
}
