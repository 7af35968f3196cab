import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from '../services/chromium.js';
import { PageVisitor } from '../support/page-visitor.js';

const run = promisify(execFile);
const SITE = resolve('.cache/site-in-browser');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
/** One of each kind: pictures and diagrams, long code, wide tables, hints, lists. */
const PATHS = ['/', '/tutorial', '/delivery', '/reference/module', '/verify', '/guarantees'];

/** Beginnings of what reaches beyond the text of a page. */
const CUT_OFF = `
  [...document.querySelectorAll('.vp-doc table, .vp-doc td, .vp-doc td code')]
    .filter((one) => {
      const page = document.querySelector('.vp-doc').getBoundingClientRect();
      return one.getBoundingClientRect().right > page.right + 1;
    })
    .map((one) => one.textContent.slice(0, 40))`;

describe('the built site', () => {
  let browser: Browser;
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    const vitepress = resolve('node_modules/vitepress/bin/vitepress.js');
    // Without what vitest sets: the build is one for production.
    const { NODE_ENV: _, VITEST: __, ...env } = process.env;
    const build = run(process.execPath, [vitepress, 'build', 'docs', '--outDir', SITE], { env });
    [browser] = await Promise.all([startChromium(), build]);
    server = createServer(({ url = '/' }, response) => {
      const path = join(SITE, new URL(url, 'http://site').pathname);
      const file = [join(path, 'index.html'), `${path}.html`, path].find(
        (one) => extname(one) !== '' && existsSync(one),
      );
      response.writeHead(file === undefined ? 404 : 200, {
        'Content-Type': TYPES[extname(file ?? '')] ?? 'application/octet-stream',
      });
      response.end(file && readFileSync(file));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }, 300_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(SITE, { recursive: true, force: true });
  });

  it.each(PATHS)('can be used by everybody, in light and in dark: %s', async (path) => {
    const visitor = await PageVisitor.start(browser);
    const asked: string[] = [];
    visitor.page.on('request', (request) => asked.push(request.url()));
    await visitor.page.goto(`${origin}${path}`);
    await visitor.page.getByRole('heading', { level: 1 }).waitFor();
    await visitor.expectAccessible();
    expect(asked.filter((url) => !url.startsWith(`${origin}/`))).toEqual([]);
    await visitor.end();
  });

  it.each([
    ['retryAfterCap', 'Retries'],
    ['docker', 'Docker'],
    ['passport', 'Passport'],
  ])('finds a page by the word %s', async (word, title) => {
    const visitor = await PageVisitor.start(browser);
    await visitor.page.goto(origin);
    await visitor.page.getByRole('button', { name: 'Search' }).click();
    await visitor.page.locator('#localsearch-input').fill(word);
    const first = visitor.page.locator('.VPLocalSearchBox .result').first();
    await first.waitFor();
    expect(await first.textContent()).toContain(title);
    await visitor.end();
  });

  const ofTables = ['module', 'api', 'events', 'strategies', 'tables', 'rest', 'metrics'];
  it.each([1440, 1100, 768, 390])('shows whole tables on a screen of %i px', async (width) => {
    const visitor = await PageVisitor.start(browser, { viewport: { width, height: 900 } });
    for (const name of ofTables) {
      await visitor.page.goto(`${origin}/reference/${name}`);
      await visitor.page.locator('.vp-doc td').first().waitFor();
      const cutOff = await visitor.page.evaluate<string[]>(CUT_OFF);
      expect([name, cutOff]).toEqual([name, []]);
    }
    await visitor.end();
  });
});
