import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Portal, thornPage } from '../../lib/page/index.js';
import { openChromium } from '../support/open-chromium.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { serve } from '../support/page-host.js';
import { PageVisitor } from '../support/page-visitor.js';

let browser: Browser;
let database: TestDatabase;
let api: Api;
let visitor: PageVisitor;

beforeAll(async () => {
  browser = await openChromium();
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
  await page.getByRole('link', { name: 'example.com/alice' }).click();
  await page.getByRole('heading', { name: 'Last 14 days' }).waitFor();
  await visitor.expectAccessible();
  expect(await page.getByText('example.com/bob').count()).toBe(0);
  expect(await page.getByRole('button', { name: /Edit|Disable|Delete|Rotate|test/ }).count()).toBe(
    0,
  );
  const kept = await page.evaluate<string>(
    'JSON.stringify([location.href, document.cookie, { ...localStorage }, { ...sessionStorage }])',
  );
  // The token is for this tab; the code is nowhere.
  const [, , inBrowser, inTab] = JSON.parse(kept);
  expect(kept).not.toContain(code);
  expect(JSON.stringify(inBrowser)).not.toContain('tpt_');
  expect(JSON.stringify(inTab)).toContain('tpt_');

  await page.goto('about:blank');
  await page.goto(api.url + url);
  await page.getByText('You are not signed in, or your access has ended.').waitFor();
  await visitor.expectAccessible();
});

it('goes on after the page is reloaded, and not when the tab comes to the page by another way', async () => {
  const { page } = visitor;
  const { url } = await api.app.get(Portal).link({ owner: 'alice' });
  await page.goto(api.url + url);
  const endpoint = page.getByRole('link', { name: 'example.com/alice' });
  await endpoint.click();
  await page.getByRole('heading', { name: 'Last 14 days' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Last 14 days' }).waitFor();
  expect(await page.getByRole('button', { name: 'Edit' }).count()).toBe(0);

  await page.goto('about:blank');
  await page.goto(`${api.url}/webhooks/`);
  await page.getByText('You are not signed in, or your access has ended.').waitFor();
  await page.reload();
  await page.getByText('You are not signed in, or your access has ended.').waitFor();
});

it('gives way to that of another link, which is opened in the same tab', async () => {
  const { page } = visitor;
  const portal = api.app.get(Portal);
  const [mine, other] = [
    await portal.link({ owner: 'alice' }),
    await portal.link({ owner: 'bob', next: '/endpoints' }),
  ];
  await page.goto(api.url + mine.url);
  await page.getByRole('link', { name: 'example.com/alice' }).waitFor();
  // Only the part behind the # is another one: the page is not loaded anew.
  await page.evaluate(`window.isSame = true; location.hash = '${other.url.split('#')[1]}'`);
  await page.getByRole('link', { name: 'example.com/bob' }).waitFor();
  expect(await page.getByText('example.com/alice').count()).toBe(0);
  expect(await page.evaluate('window.isSame')).toBe(true);
  expect(page.url()).toBe(`${api.url}/webhooks/#/endpoints`);
  expect(await page.evaluate('JSON.stringify({ ...sessionStorage })')).not.toContain(other.code);

  // One that was used is not let in, and what the tab showed before is not shown instead.
  await page.evaluate(`location.hash = '${mine.url.split('#')[1]}'`);
  await page.getByText('You are not signed in, or your access has ended.').waitFor();
  expect(page.url()).not.toContain('tpc_');
  await expect.poll(() => page.getByText('example.com/bob').count()).toBe(0);
});

it('begins once the server answers', async () => {
  const { page } = visitor;
  const { url } = await api.app.get(Portal).link({ owner: 'alice', next: '/endpoints' });
  await page.route('**/webhooks/session', (route) => route.abort());
  await page.goto(api.url + url);
  await page.getByText('The server does not answer. Trying again …').waitFor();
  await page.unroute('**/webhooks/session');
  await page.getByRole('link', { name: 'example.com/alice' }).waitFor();
  expect(page.url()).toBe(`${api.url}/webhooks/#/endpoints`);
});

it('ends when it is revoked', async () => {
  const { page } = visitor;
  const { url } = await api.app.get(Portal).link({ owner: 'alice' });
  await page.goto(api.url + url);
  await page.getByRole('link', { name: 'example.com/alice' }).waitFor();
  expect(await api.app.get(Portal).revoke({ owner: 'alice' })).toBeGreaterThan(0);
  await page.getByRole('link', { name: 'Events' }).click();
  await page.getByText('You are not signed in, or your access has ended.').waitFor();
});

it('goes on in a frame with a code of the embedding page, and keeps what was typed', async () => {
  const { page } = visitor;
  const portal = api.app.get(Portal);
  const capabilities = ['read', 'write', 'secrets'] as const;
  const first = await portal.link({ owner: 'alice', capabilities, next: '/endpoints/new' });
  const second = await portal.link({ owner: 'alice', capabilities });
  const host = await serve(`<iframe src="${api.url}${first.url}" width="900" height="600"></iframe>
<script>
  addEventListener('message', ({ source, data }) => {
    if (data.type !== 'thorn:renew') return;
    document.title = 'asked';
    addEventListener('click', () => {
      source.postMessage({ type: 'thorn:code', code: '${second.code}' }, '${api.url}');
    });
  });
</script>`);
  try {
    await page.goto(host.url);
    const frame = page.frameLocator('iframe');
    await frame.getByLabel('URL').fill('https://example.com/typed');
    await frame.getByRole('checkbox', { name: 'order.paid' }).check();
    expect(await portal.revoke({ id: first.id })).toBe(1);
    // The page asks for news by itself: it may know by then, and have hidden the button.
    const create = frame.getByRole('button', { name: 'Create endpoint' });
    await create.click({ timeout: 2000 }).catch(() => undefined);
    await frame.getByText('your input is still here').waitFor();
    expect(await frame.getByLabel('URL').isVisible()).toBe(false);
    await expect.poll(() => page.title()).toBe('asked');
    await page.mouse.click(950, 5);
    await frame.getByLabel('URL').waitFor();
    expect(await frame.getByLabel('URL').inputValue()).toBe('https://example.com/typed');
    await frame.getByRole('button', { name: 'Create endpoint' }).click();
    await frame.getByRole('heading', { name: 'Endpoint created' }).waitFor();
  } finally {
    await host.stop();
  }
});

it('gives an open dialog back when the user has signed in elsewhere', async () => {
  const { page } = visitor;
  // As the cookies of the application would let somebody in.
  let token = 'Bearer alice-token';
  let endsWithSave = false;
  await page.route('**/hooks/**', (route) => {
    // Not before: the page asks for news by itself, and would close the dialog.
    if (endsWithSave && route.request().method() === 'PATCH') token = 'Bearer over';
    return route.continue({ headers: { ...route.request().headers(), authorization: token } });
  });
  await page.goto(`${api.url}/webhooks#/endpoints`);
  await page.getByRole('link', { name: 'example.com/alice' }).click();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Description').fill('Typed');
  endsWithSave = true;
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('You are not signed in, or your access has ended.').waitFor();
  await visitor.expectAccessible();
  endsWithSave = false;
  token = 'Bearer alice-token';
  await page.getByRole('button', { name: 'Try again' }).click();
  expect(await page.getByLabel('Description').inputValue()).toBe('Typed');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByText('Typed').waitFor();
});
