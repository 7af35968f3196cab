import type { Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AnybodyGuard } from '../support/apps/api-app.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';

const AWAY = 'The server does not answer.';

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;
let endpoint: string;
let delivery: string;

beforeAll(async () => {
  owner = await OwnerPage.start({ operatorApi: { guards: [AnybodyGuard] } });
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
    expect(await page.getByText(AWAY).count()).toBe(0);
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

describe('an edit', () => {
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const REFUSED = { status: 403, json: { code: 'forbidden' } };

  /** Holds the answer to a change, which is a refusal. @returns lets the refusal go */
  async function holdRefusal(url: RegExp): Promise<() => void> {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(url, async (route) => {
      if (route.request().method() === 'GET') return route.continue();
      await held;
      await route.fulfill(REFUSED);
    });
    return release;
  }
  const focused = () => page.evaluate<string>('document.activeElement.textContent');

  it('of an endpoint is shown at once, and taken back with the reason', async () => {
    const refuse = await holdRefusal(/\/disable$/);
    await open('/endpoints/:endpoint');
    await button('Disable').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await page.locator('.lead').getByText('Disabled').waitFor();
    await button('Enable').waitFor();
    expect(await focused()).toBe('Enable');
    refuse();
    await page.getByRole('alert').getByText('You are not allowed to do this.').waitFor();
    await page.locator('.lead').getByText('Active').waitFor();
    await button('Disable').waitFor();
    expect(await focused()).toBe('Disable');
    await visitor.expectAccessible();

    await page.unrouteAll();
    await button('Disable').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await page.locator('.lead').getByText('Disabled').waitFor();
    await expect
      .poll(() => owner.api.subscribers.findById(endpoint, 'any'))
      .toMatchObject({ enabled: false });
    expect(await page.getByText('You are not allowed to do this.').count()).toBe(0);
  });

  it('of an endpoint in the list of operators leaves the other rows', async () => {
    const refuse = await holdRefusal(/\/disable$/);
    await open('/operator/endpoints');
    const disable = page.getByRole('button', { name: 'Disable: ' });
    await disable.focus();
    await page.keyboard.press('Enter');
    await page.locator('tbody').getByText('Disabled').waitFor();
    refuse();
    await page.getByRole('alert').getByText('You are not allowed to do this.').waitFor();
    await page.locator('tbody').getByText('Active').waitFor();
    expect(await focused()).toBe('Disable');
  });

  it('of a delivery: it is sent again, and what is refused is taken back', async () => {
    const refuse = await holdRefusal(/\/retry$/);
    await open('/deliveries/:delivery');
    await button('Resend').focus();
    await page.keyboard.press('Enter');
    await page.locator('.lead').getByText('Pending').waitFor();
    refuse();
    await page.getByRole('alert').getByText('You are not allowed to do this.').waitFor();
    await page.locator('.lead').getByText('Succeeded').waitFor();
    expect(await focused()).toBe('Resend');
    expect(await page.getByText('The delivery is sent again.').count()).toBe(0);
  });

  it('of a paused host: it is resumed at once, and paused again when that is refused', async () => {
    await open('/operator');
    await button('Pause a host').click();
    await page.getByRole('dialog').getByLabel('Host').fill('hooks.example.com');
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    const resume = page.getByRole('button', { name: 'Resume: hooks.example.com' });
    await resume.waitFor();
    const refuse = await holdRefusal(/\/pauses\//);
    await resume.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('cell', { name: 'Resumed' }).waitFor();
    refuse();
    await page.getByRole('alert').getByText('You are not allowed to do this.').waitFor();
    expect(await page.getByRole('cell', { name: 'Resumed' }).count()).toBe(0);
    expect(await focused()).toBe('Resume');
    await page.unrouteAll();
    await page.keyboard.press('Enter');
    await resume.waitFor({ state: 'detached' });
    expect(await page.evaluate<string>('document.activeElement.tagName')).toBe('H1');
  });
});
