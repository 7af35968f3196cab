import type { Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Deliveries, WebhookDispatcher } from '../../lib/index.js';
import { Portal } from '../../lib/page/index.js';
import { AnybodyGuard } from '../support/apps/api-app.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import { PageVisitor } from '../support/page-visitor.js';

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;

beforeAll(async () => {
  owner = await OwnerPage.start({
    retries: { schedule: [] },
    operatorApi: { guards: [AnybodyGuard] },
  });
}, 180_000);
afterAll(() => owner.stop());
beforeEach(async () => {
  visitor = await owner.visit();
  page = visitor.page;
});
afterEach(() => visitor.end());

const button = (name: string) => page.getByRole('button', { name, exact: true });
const dialog = () => page.getByRole('dialog');
const failed = async (endpoint: string) =>
  (await owner.api.app.get(Deliveries).history({ subscriberId: endpoint }, 'any'))!.total.failed;
/** Sends events to an endpoint that refuses them. */
const fail = async (endpoint: string, event: string, count: number, to = 'alice') => {
  owner.receiver.otherwise(500);
  const before = await failed(endpoint);
  const dispatcher = owner.api.app.get(WebhookDispatcher);
  for (let at = 0; at < count; at += 1) await dispatcher.send(event, {}, { owner: to });
  await expect.poll(() => failed(endpoint)).toBe(before + count);
};
/** The pixels that a field of date and time is narrower than its content. */
const MISSING_WIDTH = `Math.max(
  ...[...document.querySelectorAll('[type=datetime-local]')].map((field) => {
    const { width } = field.getBoundingClientRect();
    field.style.width = 'max-content';
    return field.getBoundingClientRect().width - width;
  }),
)`;
/** Another browser, in Berlin. */
const visitFrom = async (locale: string) => {
  await visitor.end();
  visitor = await PageVisitor.start(owner.browser, { locale, timezoneId: 'Europe/Berlin' });
  page = visitor.page;
};

describe('an endpoint that works again', () => {
  it('still says why deliveries of before have failed, after many that did not', async () => {
    const id = await owner.endpoint();
    await fail(id, 'article.created', 2);
    owner.receiver.otherwise(200);
    const deliveries = owner.api.app.get(Deliveries);
    for (let at = 0; at < 15; at += 1) await owner.deliver(id, {});
    for (const base of ['', '/operator']) {
      await page.goto(owner.url(`${base}/endpoints/${id}`));
      await expect.poll(() => page.locator('tbody tr').count()).toBeGreaterThan(9);
      const failures = page.locator('.failures li');
      await expect.poll(() => failures.count()).toBe(1);
      expect(await failures.textContent()).toContain('The endpoint answered 500.');
      expect(await failures.textContent()).toContain('2 of the latest deliveries');
    }
    await visitor.expectAccessible();
    const { items } = await deliveries.list({ subscriberId: id, status: 'failed' }, 'any');
    for (const one of items) await deliveries.retry(one.id, 'any');
    await expect.poll(() => failed(id)).toBe(0);
    await page.reload();
    await expect.poll(() => page.locator('tbody tr').count()).toBeGreaterThan(9);
    expect(await page.locator('.failures').count()).toBe(0);
  });
});

describe('deliveries', () => {
  it('that failed since a time are all sent again, and it is said which are left out', async () => {
    const good = await owner.endpoint({ path: '/good', events: ['article.created'] });
    const off = await owner.endpoint({ path: '/off', events: ['article.changed'] });
    await fail(good, 'article.created', 2);
    const noon = new Date().toISOString();
    await fail(good, 'article.created', 103);
    await fail(off, 'article.changed', 2);
    await owner.api.subscribers.update(off, { enabled: false }, 'any');
    owner.receiver.otherwise(200);
    owner.receiver.clear();

    await page.goto(owner.url(`/deliveries?status=failed&time=range&from=${noon}`));
    await button('Resend all failed').click();
    await dialog().getByText('105 deliveries match.').waitFor();
    await dialog()
      .getByText(/^Filters: Failed · From /)
      .waitFor();
    await visitor.expectAccessible();

    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/deliveries/retry', async (route) => {
      await held;
      await route.continue();
    });
    await dialog().getByRole('button', { name: 'Resend' }).click();
    await dialog().getByRole('button', { name: 'Stop' }).click();
    release();
    await dialog().getByText('98 deliveries are being sent').waitFor();
    await dialog()
      .getByText('2 left out: The endpoint is disabled, has expired or was removed.')
      .waitFor();
    await dialog().getByRole('button', { name: 'Close' }).click();
    await page.goto(owner.url('/endpoints'));
    await page.goto(owner.url('/deliveries?status=pending'));
    const left = page.getByRole('button', { name: 'Resend all failed' });
    await left.getByText('stopped: 98 deliveries are being sent').waitFor();
    await left.click();
    await dialog().getByRole('button', { name: 'Continue' }).click();
    const result = dialog().locator('.note.good');
    await result.getByText('103 deliveries are being sent').waitFor();
    await result.getByText('2 left out').waitFor();
    await visitor.expectAccessible();
    await dialog().getByRole('button', { name: 'Close' }).click();
    await button('Resend all that match').waitFor();

    await expect.poll(() => owner.receiver.received.length).toBe(103);
    const { items } = await owner.api.app
      .get(Deliveries)
      .list({ subscriberId: good, status: 'failed' }, 'any');
    expect(items).toHaveLength(2);
  });

  it('of another status are sent again only where they are chosen by a tab', async () => {
    const endpoint = await owner.endpoint();
    await owner.deliver(endpoint, {});
    owner.receiver.clear();
    for (const screen of ['/deliveries', '/operator/deliveries']) {
      await page.goto(owner.url(`${screen}?endpoint=${endpoint}`));
      await button('Resend all failed').click();
      await dialog().getByText('No delivery matches.').waitFor();
      expect(await dialog().getByRole('button', { name: 'Resend' }).count()).toBe(0);
      await dialog().getByRole('button', { name: 'Cancel' }).click();
    }
    await button('Succeeded').click();
    await button('Resend all that match').click();
    await dialog().getByText('1 delivery matches.').waitFor();
    await dialog().getByRole('button', { name: 'Resend' }).click();
    await dialog().locator('.note.good').getByText('1 delivery is being sent').waitFor();
    await expect.poll(() => owner.receiver.received.length).toBe(1);
  });

  it('are chosen by their status with the keyboard, and fit into each width', async () => {
    const endpoint = await owner.endpoint();
    await owner.deliver(endpoint, { title: 'Arrives' });
    await fail(endpoint, 'article.changed', 1);
    await page.setViewportSize({ width: 320, height: 640 });
    await page.goto(owner.url('/deliveries'));
    const rows = () => page.locator('tbody tr').count();
    await expect.poll(rows).toBe(2);
    await visitor.tabTo('Failed');
    await page.keyboard.press('Enter');
    await expect.poll(rows).toBe(1);
    expect(page.url()).toContain('status=failed');
    const pressed = page.getByRole('group', { name: 'Status' }).locator('[aria-pressed=true]');
    expect(await pressed.allTextContents()).toEqual(['Failed']);
    const tabs = page.getByRole('group', { name: 'Status' });
    expect((await tabs.boundingBox())!.height).toBeLessThan(50);
    await visitor.expectNoOverflow();
    await visitor.expectAccessible();
    await visitor.tabTo('Succeeded');
    await page.keyboard.press('Space');
    await expect.poll(() => page.url()).toContain('status=succeeded');
    await button('All').click();
    await expect.poll(rows).toBe(2);
    await expect.poll(() => page.url()).not.toContain('status');
    for (const width of [710, 910, 1100]) {
      await page.setViewportSize({ width, height: 800 });
      await visitor.expectNoOverflow();
    }
  });

  it('are filtered by times whose zone is named, side by side and not cut', async () => {
    await visitFrom('en-US');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(owner.url('/deliveries'));
    await button('Filters').click();
    await page.getByRole('combobox', { name: 'Time' }).selectOption('Created from … to');
    const [from, to] = [
      page.getByLabel('From', { exact: true }),
      page.getByLabel('To', { exact: true }),
    ];
    await from.fill('2026-01-31T12:00');
    await expect.poll(() => page.url()).toContain('from=2026-01-31T11%3A00%3A00.000Z');
    await page.getByRole('search').getByText('Times are in Europe/Berlin.').waitFor();
    const [left, right] = [(await from.boundingBox())!, (await to.boundingBox())!];
    expect(right.y).toBe(left.y);
    expect(await page.evaluate<number>(MISSING_WIDTH)).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 320, height: 640 });
    await visitor.expectNoOverflow();
    await visitor.expectAccessible();
  });
});

describe('a link', () => {
  it('without the capability shows no way to send deliveries again', async () => {
    const endpoint = await owner.endpoint();
    await owner.deliver(endpoint, {});
    const portal = owner.api.app.get(Portal);
    const { url } = await portal.link({ owner: 'alice', next: '/deliveries' });
    await page.goto(owner.api.url + url);
    await page.locator('tbody tr').waitFor();
    await button('Export CSV').waitFor();
    expect(await page.getByRole('button', { name: /Resend/ }).count()).toBe(0);
    expect(await page.getByRole('checkbox').count()).toBe(0);
  });

  it('of another owner ends the work that was begun', async () => {
    const { id: ofBob } = await owner.api.subscribers.create({
      ...{ url: `${owner.receiver.url}/bob`, events: ['article.created'], owner: 'bob' },
    });
    await fail(ofBob, 'article.created', 1, 'bob');
    await fail(await owner.endpoint(), 'article.created', 101);
    const portal = owner.api.app.get(Portal);
    const link = (to: string) =>
      portal.link({
        ...{ owner: to, capabilities: ['read', 'retry'], next: '/deliveries?status=failed' },
      });
    const [alice, bob] = [await link('alice'), await link('bob')];
    await page.goto(owner.api.url + alice.url);
    await button('Resend all failed').click();
    await dialog().getByText('101 deliveries match.').waitFor();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/deliveries/retry', async (route) => {
      await held;
      await route.continue();
    });
    const asked = page.waitForRequest('**/deliveries/retry');
    await dialog().getByRole('button', { name: 'Resend' }).click();
    await asked;
    await page.evaluate(`location.hash = '${bob.url.split('#')[1]}'`);
    await page.locator('tbody').getByText('/bob').waitFor();
    const answered = page.waitForResponse('**/deliveries/retry');
    release();
    await answered;
    await button('Resend all failed').click();
    await dialog().getByText('1 delivery matches.').waitFor();
    expect(await failed(ofBob)).toBe(1);
  });
});

describe('an endpoint', () => {
  it('gets its failed deliveries since a time that the user enters', async () => {
    const id = await owner.endpoint();
    await fail(id, 'article.created', 2);
    owner.receiver.otherwise(200);
    owner.receiver.clear();
    await visitFrom('en-GB');
    await page.goto(owner.url(`/endpoints/${id}`));
    await button('Resend failed deliveries').click();
    await dialog().getByText('2 deliveries can be sent.').waitFor();
    await dialog().getByLabel('Since').selectOption('Choose a time');
    await dialog().getByText('Times are in Europe/Berlin.').waitFor();
    const asked: string[] = [];
    page.on('request', (request: Request) => {
      if (request.url().endsWith('/recover')) asked.push(request.postDataJSON().since);
    });
    await dialog().getByLabel('From').fill('2026-01-31T12:00');
    await expect.poll(() => asked).toContain('2026-01-31T11:00:00.000Z');
    await dialog().getByText('2 deliveries can be sent.').waitFor();
    await visitor.expectAccessible();
    await dialog().getByRole('button', { name: 'Send', exact: true }).click();
    await dialog().locator('.note.good').getByText('2 deliveries are being sent').waitFor();
    expect(asked.at(-1)).toBe('2026-01-31T11:00:00.000Z');
    await expect.poll(() => owner.receiver.received.length).toBe(2);
  });

  it('gets none, and it is said why', async () => {
    const id = await owner.endpoint();
    await page.goto(owner.url(`/endpoints/${id}`));
    await button('Resend failed deliveries').click();
    await dialog()
      .getByText(/^No delivery to this endpoint has failed since .*\d:\d\d.*\.$/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await button('Send missed events').click();
    await dialog()
      .getByText(/^This endpoint has missed no event since /)
      .waitFor();

    await fail(id, 'article.created', 2);
    await owner.api.subscribers.update(id, { enabled: false }, 'any');
    await visitFrom('de-DE');
    await page.goto(owner.url(`/endpoints/${id}`));
    await button('Fehlgeschlagene erneut senden').click();
    await dialog().getByText('Keine Zustellung kann gesendet werden.').waitFor();
    await dialog().getByText('2 ausgelassen: Der Endpunkt').waitFor();
    expect(await dialog().getByRole('button', { name: 'Senden', exact: true }).count()).toBe(0);
    await dialog().getByLabel('Seit').selectOption('Zeit wählen');
    await dialog().getByText('Zeitzone: Europe/Berlin').waitFor();
    await page.setViewportSize({ width: 320, height: 640 });
    await visitor.expectNoOverflow();
    await visitor.expectAccessible();
  });
});
