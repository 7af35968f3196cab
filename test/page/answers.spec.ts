import type { Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';

const LOGIN = {
  status: 200,
  contentType: 'text/html',
  body: '<!doctype html><title>Sign in</title><form></form>',
};

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;

beforeAll(async () => {
  owner = await OwnerPage.start();
}, 180_000);
afterAll(() => owner.stop());
beforeEach(async () => {
  visitor = await owner.visit();
  page = visitor.page;
});
afterEach(() => visitor.end());

const stored = async (id: string) => (await owner.api.subscribers.findById(id, 'any'))!;
const click = (name: string) => page.getByRole('button', { name, exact: true }).click();

/** Lets the first of some requests through, and its answer get lost. */
async function loseAnswer(url: string, method: string): Promise<void> {
  let isLost = false;
  await page.route(url, async (route: Route) => {
    if (isLost || route.request().method() !== method) return route.continue();
    isLost = true;
    await route.fetch();
    await route.abort('connectionreset');
  });
}

describe('an edit', () => {
  it('sends what was changed alone', async () => {
    const id = await owner.endpoint();
    await page.goto(owner.url(`/endpoints/${id}`));
    await click('Edit');
    await page.getByLabel('Description').fill('Mine');
    const sent = page.waitForRequest((one) => one.method() === 'PATCH');
    await click('Save');
    const request = await sent;
    expect(request.postDataJSON()).toEqual({ description: 'Mine' });
    expect(request.headers()['if-match']).toMatch(/^"[\w-]{22}"$/);
    await page.getByText('Mine').waitFor();
  });

  it('shows what somebody else has changed meanwhile, and overwrites none of it', async () => {
    const id = await owner.endpoint();
    await page.goto(owner.url(`/endpoints/${id}`));
    await click('Edit');
    await page.getByLabel('Description').fill('Mine');
    const theirs = { url: 'https://example.com/new', events: ['order.paid'] };
    await owner.api.subscribers.update(id, { ...theirs, description: 'Theirs' }, 'any');
    await click('Save');
    const shown = page
      .getByRole('alert')
      .filter({ hasText: 'changed this endpoint while you were editing' });
    await shown.waitFor();
    await visitor.expectAccessible();
    const text = await shown.textContent();
    expect(text).toContain('https://example.com/new');
    expect(text).toContain('order.paid');
    expect(text).toContain('Theirs');
    expect(await shown.getByText('replaces this').count()).toBe(1);
    expect(await stored(id)).toMatchObject({ ...theirs, description: 'Theirs' });
    expect(await page.getByLabel('URL').inputValue()).toBe('https://example.com/new');
    expect(await page.getByLabel('Description').inputValue()).toBe('Mine');
    await click('Save');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await stored(id)).toMatchObject({ ...theirs, description: 'Mine' });
  });

  it('is saved by a tab that was left alone, behind a proxy that compresses answers', async () => {
    const id = await owner.endpoint();
    await page.route(`**/hooks/${id}`, async (route) => {
      if (route.request().method() !== 'GET') return route.continue();
      const response = await route.fetch();
      const tag = response.headers()['etag']!;
      const headers = { ...response.headers(), etag: `W/${tag.replace(/"$/, '-gzip"')}` };
      await route.fulfill({ response, headers });
    });
    await page.goto(owner.url(`/endpoints/${id}`));
    await click('Edit');
    await page.getByLabel('Description').fill('Mine');
    // Nothing that the form shows: there is nothing to look at.
    await owner.api.subscribers.update(id, { enabled: false }, 'any');
    await click('Save');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await stored(id)).toMatchObject({ enabled: false, description: 'Mine' });
  });
});

describe('an answer that is lost', () => {
  it('makes one endpoint of two clicks, and shows its secret', async () => {
    await loseAnswer('**/hooks/', 'POST');
    await page.goto(owner.url('/endpoints/new'));
    await page.getByLabel('URL').fill('https://example.com/first');
    await page.getByRole('checkbox', { name: 'order.paid' }).check();
    await click('Create endpoint');
    await page.getByRole('alert').getByText('No answer came').waitFor();
    await page.getByLabel('Description').fill('Typed after that');
    await click('Create endpoint');
    await page.getByText('Your first request was saved already.').waitFor();
    await visitor.expectAccessible();
    const { items } = await owner.api.subscribers.list({ limit: 100 }, 'any');
    expect(items).toMatchObject([{ url: 'https://example.com/first', description: null }]);
    expect(await page.locator('.secret code').textContent()).toBe(items[0]!.secrets[0]!.value);
  });

  it('rotates a secret once, and the key Escape does not take it away', async () => {
    const id = await owner.endpoint();
    await loseAnswer('**/rotate-secret', 'POST');
    await page.goto(owner.url(`/endpoints/${id}`));
    await click('Rotate secret');
    const dialog = page.getByRole('dialog');
    const rotate = dialog.getByRole('button', { name: 'Rotate secret' });
    await rotate.click();
    await dialog.getByText('No answer came').waitFor();
    await rotate.click();
    const secret = dialog.locator('.secret code');
    await secret.waitFor();
    for (let time = 0; time < 3; time += 1) await page.keyboard.press('Escape');
    const { secrets } = await stored(id);
    expect(secrets).toHaveLength(2);
    expect(await secret.textContent()).toBe(secrets[0]!.value);
    await dialog.getByRole('button', { name: 'Done' }).click();
    await dialog.waitFor({ state: 'detached' });
  });

  it('saves an edit once, and does not take it for that of somebody else', async () => {
    const id = await owner.endpoint();
    await loseAnswer(`**/hooks/${id}`, 'PATCH');
    await page.goto(owner.url(`/endpoints/${id}`));
    await click('Edit');
    const dialog = page.getByRole('dialog');
    await page.getByLabel('Description').fill('Mine');
    await click('Save');
    await dialog.getByText('No answer came').waitFor();
    expect(await stored(id)).toMatchObject({ description: 'Mine' });
    await click('Save');
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('Mine').waitFor();
  });

  it('is followed by others: the banner goes once the server is back, whatever is on the screen', async () => {
    await page.goto(owner.url('/endpoints/new'));
    await page.getByLabel('URL').fill('https://example.com/typed');
    await page.getByRole('checkbox', { name: 'order.paid' }).check();
    await page.route('**/hooks*', (route) => route.abort('connectionreset'));
    await page.route('**/hooks/**', (route) => route.abort('connectionreset'));
    await click('Create endpoint');
    const banner = page.locator('.away');
    await banner.waitFor();
    await page.unrouteAll();
    await banner.waitFor({ state: 'detached' });
    expect(await page.getByLabel('URL').inputValue()).toBe('https://example.com/typed');
  });
});

describe('an answer of something else', () => {
  it.each([
    ['a login page', LOGIN],
    ['a redirect to another origin', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }],
  ])('is not taken for endpoints: %s', async (_name, answer) => {
    await page.goto(owner.url('/'));
    await page.getByText('No endpoints yet').waitFor();
    await page.route('**/hooks/**', (route) => route.fulfill(answer));
    await page.getByRole('link', { name: 'Endpoints' }).click();
    await page.getByText('You are not signed in, or your access has ended.').waitFor();
    await visitor.expectAccessible();
    await page.unroute('**/hooks/**');
    await click('Try again');
    await page.getByRole('link', { name: 'Add endpoint' }).waitFor();
    expect(await page.getByText('You are not signed in').count()).toBe(0);
    // What the browser says of a redirect that the policy of the page forbids.
    visitor.complaints.splice(0);
  });

  it.each([
    ['a body that was cut', { status: 200, contentType: 'application/json', body: '{"items":[' }],
    ['a text', { status: 200, contentType: 'text/plain', body: 'ok' }],
    ['nothing', { status: 200, contentType: 'application/json', body: '' }],
    ['an error of a proxy', { status: 502, contentType: 'application/json', body: '<html>' }],
  ])('is told, and read again: %s', async (_name, answer) => {
    await page.route('**/hooks/event-types', (route) => route.fulfill(answer));
    await page.goto(owner.url('/events'));
    await page.getByText(/^(?:The data could not be loaded|The server does not answer)/).waitFor();
    await visitor.expectAccessible();
    await page.unroute('**/hooks/event-types');
    await page.getByRole('link', { name: 'order.paid' }).waitFor();
    expect(await page.getByText('could not be loaded').count()).toBe(0);
  });

  it('of a shape that the page does not know is told, and the menu still works', async () => {
    await page.route('**/hooks/event-types', (route) => route.fulfill({ json: { ok: true } }));
    await page.goto(owner.url('/events'));
    await page.getByText('The data could not be loaded.').waitFor();
    expect(visitor.complaints.splice(0).join(' ')).toContain('TypeError');
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByText('No endpoints yet').waitFor();
  });

  it('of a tab in the background is read as well', async () => {
    await page.addInitScript(
      `Object.defineProperty(document, 'hidden', { get: () => window.isShown !== true })`,
    );
    await page.goto(owner.url('/events'));
    await page.getByRole('link', { name: 'order.paid' }).waitFor();
    await expect.poll(() => page.locator('.skeleton').count()).toBe(0);
  });
});

describe('a live list', () => {
  it('goes on after Retry-After, and says so meanwhile', async () => {
    const id = await owner.endpoint();
    await owner.deliver(id, {});
    await page.goto(owner.url('/deliveries'));
    const rows = page.locator('tbody tr');
    await rows.first().waitFor();
    let wasSeen = false;
    await page.route('**/hooks/deliveries?*', (route) => {
      if (wasSeen) return route.continue();
      return route.fulfill({ status: 429, headers: { 'retry-after': '2' }, json: {} });
    });
    await page.getByText('The data is not up to date. Too many requests').waitFor();
    wasSeen = true;
    await owner.deliver(id, {});
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByText('The data is not up to date').waitFor({ state: 'detached' });
  });

  it('says that it is not live when it is refused', async () => {
    const id = await owner.endpoint();
    await owner.deliver(id, {});
    await page.goto(owner.url('/deliveries'));
    await page.locator('tbody tr').first().waitFor();
    await page.route('**/hooks/deliveries?*', (route) => route.fulfill({ status: 403, json: {} }));
    await page.getByText('The data is not up to date. You do not have access to this.').waitFor();
    await visitor.expectAccessible();
    await page.unroute('**/hooks/deliveries?*');
    await click('Try again');
    await page.getByText('The data is not up to date').waitFor({ state: 'detached' });
    expect(await page.locator('tbody tr').count()).toBe(1);
  });
});
