import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Portal, thornPage } from '../../lib/page/index.js';
import { startChromium } from '../services/chromium.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { serve } from '../support/page-host.js';
import { PageVisitor } from '../support/page-visitor.js';

let browser: Browser;
let database: TestDatabase;
let api: Api;
let visitor: PageVisitor;

beforeAll(async () => {
  browser = await startChromium();
  database = await createDatabase('memory');
  api = await startApi('express', {
    store: database,
    thorn: { page: thornPage({ frameAncestors: ['http://127.0.0.1:*'] }) },
  });
  for (const owner of ['alice', 'bob']) {
    await api.subscribers.create({ url: `https://example.com/${owner}`, events: ['*'], owner });
  }
}, 180_000);
afterAll(async () => {
  await browser.close();
  await api.app.close();
  await database.drop();
});
beforeEach(async () => {
  visitor = await PageVisitor.start(browser);
});
afterEach(() => visitor.end());

it('lets the holder of a link in, once, and shows what the link allows', async () => {
  const { page } = visitor;
  const { url, code } = await api.app
    .get(Portal)
    .link({ owner: 'alice', next: '/endpoints?state=active' });
  await page.goto(api.url + url);
  await page.getByRole('link', { name: 'https://example.com/alice' }).click();
  await page.getByText('Last 14 days').waitFor();
  await visitor.expectAccessible();
  expect(await page.getByText('https://example.com/bob').count()).toBe(0);
  expect(await page.getByRole('button', { name: /Edit|Disable|Delete|Rotate|test/ }).count()).toBe(
    0,
  );
  const kept = await page.evaluate<string>(
    'JSON.stringify([location.href, document.cookie, { ...localStorage }, { ...sessionStorage }])',
  );
  expect(kept).not.toMatch(/tp[ct]_/);
  expect(kept).not.toContain(code);

  await page.goto('about:blank');
  await page.goto(api.url + url);
  await page.getByText('You are not signed in, or your access has ended.').waitFor();
  await visitor.expectAccessible();
});

it('ends when it is revoked', async () => {
  const { page } = visitor;
  const { url } = await api.app.get(Portal).link({ owner: 'alice' });
  await page.goto(api.url + url);
  await page.getByRole('link', { name: 'https://example.com/alice' }).waitFor();
  expect(await api.app.get(Portal).revoke({ owner: 'alice' })).toBeGreaterThan(0);
  await page.getByRole('link', { name: 'Events' }).click();
  await page.getByText('You are not signed in, or your access has ended.').waitFor();
});

it('goes on in a frame with a code of the embedding page', async () => {
  const { page } = visitor;
  const portal = api.app.get(Portal);
  const first = await portal.link({ owner: 'alice' });
  const second = await portal.link({ owner: 'alice' });
  const host = await serve(`<iframe src="${api.url}${first.url}" width="900" height="600"></iframe>
<script>
  addEventListener('message', ({ source, data }) => {
    if (data.type !== 'thorn:renew') return;
    document.title = 'asked';
    source.postMessage({ type: 'thorn:code', code: '${second.code}' }, '${api.url}');
  });
</script>`);
  try {
    await page.goto(host.url);
    const frame = page.frameLocator('iframe');
    await frame.getByRole('link', { name: 'https://example.com/alice' }).waitFor();
    expect(await portal.revoke({ id: first.id })).toBe(1);
    await frame.getByRole('link', { name: 'Events' }).click();
    await frame.getByRole('link', { name: 'article.created' }).waitFor();
    expect(await page.title()).toBe('asked');
  } finally {
    await host.stop();
  }
});
