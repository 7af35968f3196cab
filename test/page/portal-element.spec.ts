import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Portal, thornPage } from '../../lib/page/index.js';
import { openChromium } from '../support/open-chromium.js';
import { type Api, platforms, startApi } from '../support/apps/api-app.js';
import { PageVisitor } from '../support/page-visitor.js';
import { serve } from '../support/page-host.js';

let browser: Browser;
beforeAll(async () => {
  browser = await openChromium();
}, 180_000);
afterAll(() => browser.close());

describe.each(platforms)('<thorn-portal> on %s', (platform) => {
  let api: Api;
  let portal: Portal;
  let visitor: PageVisitor;
  beforeAll(async () => {
    api = await startApi(platform, {
      thorn: { page: thornPage({ brand: { accent: '#7a1fa2', font: 'Georgia, serif' } }) },
      // As docs/page.md says.
      configure: (app) =>
        app.enableCors({
          methods: ['GET', 'POST', 'PATCH', 'DELETE'],
          exposedHeaders: ['ETag', 'Retry-After'],
        }),
    });
    portal = api.app.get(Portal);
    await api.subscribers.create({
      url: 'https://example.com/alice',
      events: ['article.*'],
      owner: 'alice',
    });
  });
  afterAll(() => api.app.close());
  beforeEach(async () => {
    visitor = await PageVisitor.start(browser);
  });
  afterEach(() => visitor.end());

  /** A document of another origin, with styles and a title of its own. */
  const embedding = (codes: readonly string[], attributes = '') =>
    serve(`<!doctype html><html lang="en"><title>The shop</title>
<style>h1, h2 { color: rgb(255, 0, 0) }</style>
<main><h1>The shop</h1><thorn-portal ${attributes}></thorn-portal></main>
<script type="module" src="${api.url}/webhooks/element.js"></script>
<script type="module">
  const codes = ${JSON.stringify(codes)};
  const element = document.querySelector('thorn-portal');
  element.addEventListener('thorn-renew', () => {
    document.body.dataset.asked = 'yes';
    element.code = codes.shift();
  });
  element.code = codes.shift();
</script></html>`);

  it('shows the page inside of another document, which keeps its address, title and styles', async () => {
    const { page } = visitor;
    const { code } = await portal.link({ owner: 'alice', capabilities: ['read', 'write'] });
    const host = await embedding([code], 'path="/endpoints" theme="light"');
    try {
      await page.goto(`${host.url}#mine`);
      await page.getByRole('link', { name: 'example.com/alice' }).click();
      await page.getByRole('heading', { name: 'example.com' }).waitFor();
      await page.getByRole('button', { name: 'Disable' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
      await page.getByText('This endpoint is disabled').waitFor();
      expect([page.url(), await page.title()]).toEqual([`${host.url}#mine`, 'The shop']);
      const colours = await page.evaluate<string[]>(`[
        document.querySelector('h1'),
        document.querySelector('thorn-portal').shadowRoot.querySelector('h1'),
      ].map((one) => getComputedStyle(one).color)`);
      expect(colours).toEqual(['rgb(255, 0, 0)', 'rgb(25, 28, 34)']);
      const brand = await page.evaluate<string[]>(`(() => {
        const link = document.querySelector('thorn-portal').shadowRoot.querySelector('.crumbs a');
        return ['color', 'fontFamily'].map((name) => getComputedStyle(link)[name]);
      })()`);
      expect(brand).toEqual(['rgb(122, 31, 162)', 'Georgia, serif']);
      await page.setViewportSize({ width: 360, height: 740 });
      await visitor.expectNoOverflow();
    } finally {
      await host.stop();
    }
  });

  it('overwrites nothing that somebody else has changed meanwhile', async () => {
    const { page } = visitor;
    const { items } = await api.subscribers.list({ limit: 1 }, 'any');
    const { id } = items[0]!;
    const { code } = await portal.link({ owner: 'alice', capabilities: ['read', 'write'] });
    const host = await embedding([code], `path="/endpoints/${id}"`);
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    try {
      await page.goto(host.url);
      await button('Edit').click();
      await page.getByLabel('Description').fill('Mine');
      await api.subscribers.update(id, { description: 'Theirs' }, 'any');
      await button('Save').click();
      await page
        .getByRole('alert')
        .filter({ hasText: 'changed this endpoint while you were editing' })
        .waitFor();
      expect(await api.subscribers.findById(id, 'any')).toMatchObject({ description: 'Theirs' });
    } finally {
      await host.stop();
    }
  });

  it('asks for another code when its session has ended', async () => {
    const { page } = visitor;
    const first = await portal.link({ owner: 'alice' });
    const second = await portal.link({ owner: 'alice' });
    const host = await embedding([first.code, second.code], 'path="/endpoints" language="de"');
    try {
      await page.goto(host.url);
      await page.getByTitle('https://example.com/alice').first().waitFor();
      expect(await portal.revoke({ id: first.id })).toBe(1);
      await page.getByRole('link', { name: 'Ereignisse' }).click();
      await page.getByRole('link', { name: 'article.created' }).waitFor();
      expect(await page.locator('body').getAttribute('data-asked')).toBe('yes');
    } finally {
      await host.stop();
    }
  });

  it('shows nothing without a code, or once it is removed', async () => {
    const { page } = visitor;
    const host = await embedding([]);
    try {
      await page.goto(host.url);
      await page.getByText('You are not signed in, or your access has ended.').waitFor();
      await visitor.expectAccessible();
      await page.evaluate(`document.querySelector('thorn-portal').remove()`);
      expect(await page.getByText('You are not signed in').count()).toBe(0);
    } finally {
      await host.stop();
    }
  });

  it('is served as a script that no cache keeps', async () => {
    const answer = await fetch(`${api.url}/webhooks/element.js`);
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
  });
});
