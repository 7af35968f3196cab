import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sitePages } from '../../docs/.vitepress/pages.js';
import { openChromium } from '../support/open-chromium.js';
import { PageVisitor } from '../support/page-visitor.js';

const run = promisify(execFile);
const SITE = resolve('.cache/site-in-browser');
/** Not the root: a link that leaves it out leads nowhere. */
const BASE = '/thorn/';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
/** One of each kind: pictures and diagrams, long code, wide tables, hints, lists. */
const PARTS = 'architecture/page-parts';
const PATHS = ['', 'tutorial', 'delivery', 'reference/module', 'verify', 'guarantees', PARTS];

/** By the words of a search, the page of its first result. */
const FOUND: Readonly<Record<string, string>> = {
  docker: 'recipes/docker',
  kubernetes: 'recipes/docker',
  nginx: 'page',
  passport: 'recipes/passport',
  jwt: 'recipes/passport',
  'multi tenant': 'recipes/multi-tenant',
  multitenant: 'recipes/multi-tenant',
  prisma: 'tutorial/prisma',
  drizzle: 'tutorial/drizzle',
  bullmq: 'scaling',
  migrations: 'migrations',
  idempotency: 'rest/subscribers',
  secret: 'security',
  rotate: 'security',
  retryAfterCap: 'retries',
};

/** The themes in which each part of the page is shown. */
const SHOWN_PARTS = `
  [...document.querySelectorAll('[data-part]')].map((place) =>
    [...place.children].flatMap(({ shadowRoot }) => {
      const { dataset, childElementCount } = shadowRoot.querySelector('.portal');
      return childElementCount > 0 ? [dataset.theme] : [];
    }))`;

/** Beginnings of what reaches beyond the text of a page. */
const CUT_OFF = `
  [...document.querySelectorAll('.vp-doc table, .vp-doc td, .vp-doc td code')]
    .filter((one) => {
      const page = document.querySelector('.vp-doc').getBoundingClientRect();
      return one.getBoundingClientRect().right > page.right + 1;
    })
    .map((one) => one.textContent.slice(0, 40))`;

/** By how much a page is wider than the screen. */
const ACROSS = 'document.documentElement.scrollWidth - innerWidth';
const WITH_TABLES = sitePages()
  .filter(({ file }) => /^\|/m.test(readFileSync(join('docs', file), 'utf8')))
  .map(({ file }) => file.replace(/(?:index)?\.md$/, ''));

describe('the built site', () => {
  let browser: Browser;
  let server: Server;
  let site: string;

  beforeAll(async () => {
    const vitepress = resolve('node_modules/vitepress/bin/vitepress.js');
    // Without what vitest sets: the build is one for production.
    const { NODE_ENV: _, VITEST: __, ...inherited } = process.env;
    const env = { ...inherited, DOCS_BASE: BASE };
    const build = run(process.execPath, [vitepress, 'build', 'docs', '--outDir', SITE], { env });
    [browser] = await Promise.all([openChromium(), build]);
    server = createServer(({ url = '/' }, response) => {
      const { pathname } = new URL(url, 'http://site');
      const path = join(SITE, pathname.slice(BASE.length));
      const files = [join(path, 'index.html'), `${path}.html`, path];
      const file = files.find((one) => {
        return pathname.startsWith(BASE) && extname(one) !== '' && existsSync(one);
      });
      response.writeHead(file === undefined ? 404 : 200, {
        'Content-Type': TYPES[extname(file ?? '')] ?? 'application/octet-stream',
      });
      response.end(file && readFileSync(file));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    site = `http://127.0.0.1:${(server.address() as AddressInfo).port}${BASE}`;
  }, 300_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(SITE, { recursive: true, force: true });
  });

  it.each(PATHS)('can be used by everybody, in light and in dark: /%s', async (path) => {
    const visitor = await PageVisitor.start(browser);
    const asked: string[] = [];
    visitor.page.on('request', (request) => asked.push(request.url()));
    await visitor.page.goto(`${site}${path}`);
    await visitor.page.getByRole('heading', { level: 1 }).waitFor();
    await visitor.expectAccessible();
    expect(asked.filter((url) => !url.startsWith(site))).toEqual([]);
    await visitor.end();
  });

  it('shows every part of the page, in light and in dark', async () => {
    const visitor = await PageVisitor.start(browser);
    await visitor.page.goto(`${site}${PARTS}`);
    const places = visitor.page.locator('[data-part]');
    await expect.poll(() => places.locator('.portal > *').count()).toBeGreaterThan(0);
    const shown = await visitor.page.evaluate<string[][]>(SHOWN_PARTS);
    const guide = readFileSync(`docs/${PARTS}.md`, 'utf8');
    expect(shown.length).toBe([...guide.matchAll(/data-part=/g)].length);
    for (const themes of shown) expect(themes).toEqual(['light', 'dark']);
    await visitor.end();
  });

  it('has an icon, and files for language models', async () => {
    const page = await (await fetch(site)).text();
    const icon = /<link rel="icon" type="image\/svg\+xml" href="([^"]+)">/.exec(page)?.[1];
    const index = await (await fetch(`${site}llms.txt`)).text();
    const named = [...index.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path);
    for (const path of [icon, ...named]) {
      expect([path, (await fetch(new URL(path!, site))).status]).toEqual([path, 200]);
    }
  });

  it('finds the page that is about a word', async () => {
    const visitor = await PageVisitor.start(browser);
    await visitor.page.goto(site);
    await visitor.page.getByRole('button', { name: 'Search' }).click();
    const found: Record<string, string> = {};
    const words = visitor.page.locator('#localsearch-input');
    const first = visitor.page.locator('.VPLocalSearchBox .result').first();
    for (const word of Object.keys(FOUND)) {
      // Results stay a while: those of the word before go first.
      await words.fill('');
      await first.waitFor({ state: 'detached' });
      await words.fill(word);
      const address = new URL((await first.getAttribute('href'))!, site);
      found[word] = address.pathname.slice(BASE.length);
    }
    expect(found).toEqual(FOUND);
    await visitor.end();
  });

  it('shows whole tables on screens of all widths', async () => {
    const visitor = await PageVisitor.start(browser);
    const faults: object[] = [];
    for (const path of WITH_TABLES) {
      await visitor.page.goto(`${site}${path}`);
      await visitor.page.locator('.vp-doc td').first().waitFor();
      for (const width of [1440, 1100, 768, 390]) {
        await visitor.page.setViewportSize({ width, height: 900 });
        const cutOff = await visitor.page.evaluate<string[]>(CUT_OFF);
        const across = await visitor.page.evaluate<number>(ACROSS);
        if (cutOff.length + across > 0) faults.push({ path, width, cutOff, across });
      }
    }
    expect(WITH_TABLES).toContain('reference/module');
    expect(faults).toEqual([]);
    await visitor.end();
  });
});
