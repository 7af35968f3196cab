import type { Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OwnerPage } from '../support/apps/owner-page.js';
import { PageVisitor } from '../support/page-visitor.js';

const AWAY = 'The server does not answer.';

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;
let endpoint: string;
let delivery: string;

beforeAll(async () => {
  owner = await OwnerPage.start({ operatorApi: { unprotected: true } });
}, 180_000);
afterAll(() => owner.stop());
beforeEach(async () => {
  visitor = await owner.visit();
  page = visitor.page;
  endpoint = await owner.endpoint();
  delivery = await owner.deliver(endpoint, {});
});
afterEach(() => visitor.end());

const ALL = /\/hooks(?:-operator)?(?:[/?]|$)/;
const skeletons = () => page.locator('.skeleton:visible');

/** Holds every answer of the API. @returns lets the answers go */
async function hold(): Promise<() => Promise<void>> {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(ALL, async (route: Route) => {
    await held;
    await route.continue().catch(() => {});
  });
  return async () => {
    release();
    await page.unroute(ALL);
  };
}

const SCREENS = [
  ...['/', '/endpoints', '/endpoints/new', '/endpoints/:endpoint', '/deliveries', '/events'],
  ...['/deliveries/:delivery', '/operator', '/operator/endpoints', '/operator/deliveries'],
  ...['/operator/endpoints/:endpoint', '/operator/deliveries/:delivery'],
];
const open = (screen: string) =>
  page.goto(owner.url(screen.replace(':endpoint', endpoint).replace(':delivery', delivery)));

describe('a skeleton', () => {
  it.each(SCREENS)('stands on %s until the answer comes, and moves nothing', async (screen) => {
    await page.addInitScript(`
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const { value } of list.getEntries()) window.shift += value;
      }).observe({ type: 'layout-shift', buffered: true });`);
    const release = await hold();
    await open(screen);
    await skeletons().first().waitFor();
    await page.getByRole('status').getByText('Loading …').waitFor();
    expect(await page.locator('.skeleton').first().getAttribute('aria-busy')).toBe('true');
    await visitor.expectAccessible();
    await visitor.expectNoOverflow();
    const head = page.getByRole('heading', { level: 1 });
    const before = await head.boundingBox();
    await release();
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    await page.waitForLoadState('networkidle');
    expect(await skeletons().count()).toBe(0);
    expect((await head.boundingBox())!.y).toBeCloseTo(before!.y, 0);
    // What Google calls good is 0.1.
    expect(await page.evaluate<number>('window.shift')).toBeLessThan(0.1);
  });

  it('breathes, but not for people who want less motion', async () => {
    await hold();
    await open('/endpoints');
    await skeletons().first().waitFor();
    const motion = () =>
      page.evaluate<string>(
        `getComputedStyle(document.querySelector('.skeleton i')).animationName`,
      );
    expect(await motion()).toBe('none');
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    expect(await motion()).toBe('breathe');
  });

  it('is not seen before an answer could have come', async () => {
    await page.addInitScript(`
      window.seen = [];
      const look = () => {
        const one = document.querySelector('.skeleton');
        if (one) window.seen.push(getComputedStyle(one).visibility);
        requestAnimationFrame(look);
      };
      look();`);
    await hold();
    await open('/endpoints');
    await skeletons().first().waitFor();
    expect(await page.evaluate<string>('window.seen[0]')).toBe('hidden');
  });

  it('does not replace rows while they are read again', async () => {
    await open('/deliveries');
    await page.locator('tbody tr').first().waitFor();
    const release = await hold();
    await page.waitForRequest(/\/hooks\/deliveries\?/);
    expect(await page.locator('.skeleton').count()).toBe(0);
    expect(await page.locator('tbody tr').count()).toBe(1);
    await release();
  });

  it('stands in <thorn-portal> as well, in German', async () => {
    await page.route('**/host', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<!doctype html><html lang="de"><title>The host</title><main><h1>The host</h1>
          <thorn-portal path="/endpoints" language="de"></thorn-portal></main>
          <script type="module" src="/webhooks/element.js"></script></html>`,
      }),
    );
    const release = await hold();
    await page.goto(`${owner.api.url}/host`);
    await skeletons().first().waitFor();
    await page.getByText('Wird geladen …').waitFor();
    await visitor.expectAccessible();
    await release();
    await page.locator('tbody tr').first().waitFor();
    await page.route(ALL, (route) => route.abort());
    await page.getByRole('link', { name: 'Ereignisse' }).click();
    await page.getByText('Der Server antwortet nicht. Neuer Versuch').waitFor();
    await visitor.expectAccessible();
    await page.unroute(ALL);
    await page.getByRole('button', { name: 'Erneut versuchen' }).click();
    await page.getByRole('link', { name: 'article.created' }).waitFor();
    await expect.poll(() => page.locator('.away').count()).toBe(0);
  });
});

describe('a server that does not answer', () => {
  it.each(SCREENS)('is said once on %s, and asked again by keyboard', async (screen) => {
    await page.route(ALL, (route) => route.abort());
    await open(screen);
    await page.getByText(AWAY).waitFor();
    expect(await page.getByText(AWAY).count()).toBe(1);
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(1);
    await visitor.expectAccessible();
    await page.unroute(ALL);
    const again = page.getByRole('button', { name: 'Try again' });
    await again.focus();
    await page.keyboard.press('Enter');
    await page.locator('.away').waitFor({ state: 'detached' });
    await expect.poll(() => skeletons().count()).toBe(0);
    const focused = await page.evaluate<string>('document.activeElement.tagName');
    expect(focused).toBe('H1');
  });

  it('goes from the page by itself', async () => {
    await page.route(ALL, (route) => route.abort());
    await open('/');
    await page.getByText(AWAY).waitFor();
    await page.unroute(ALL);
    await page.locator('.away').waitFor({ state: 'detached' });
    await page.getByRole('table', { name: 'Endpoints' }).waitFor();
  });

  it('is told from a server with a fault, and from one that refuses', async () => {
    await page.route(ALL, (route) => route.fulfill({ status: 500, json: {} }));
    await open(`/endpoints/:endpoint`);
    await page.getByText('The server has a fault.').waitFor();
    expect(await page.getByText('The server has a fault.').count()).toBe(1);
    await page.unroute(ALL);
    await page.locator('.away').waitFor({ state: 'detached' });
    await page.getByRole('table', { name: 'Deliveries' }).waitFor();

    await page.route(/\/stats\?/, (route) => route.fulfill({ status: 403, json: {} }));
    await page.reload();
    await page.locator('main').getByText('You do not have access to this.').waitFor();
    expect(await page.locator('.away').count()).toBe(0);
    await page.getByRole('table', { name: 'Deliveries' }).waitFor();
  });
});
