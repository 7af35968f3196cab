import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Deliveries, WebhookDispatcher } from '../../lib/index.js';
import { AnybodyGuard } from '../support/apps/api-app.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;

beforeAll(async () => {
  owner = await OwnerPage.start({ operatorApi: { guards: [AnybodyGuard] } });
}, 180_000);
afterAll(() => owner.stop());
beforeEach(async () => {
  visitor = await owner.visit();
  page = visitor.page;
});
afterEach(() => visitor.end());

const rows = () => page.locator('tbody tr').count();
const button = (name: string) => page.getByRole('button', { name, exact: true });

/** Reads on to the end. @returns the requests for further pages that each click has made */
async function readOn(url: RegExp): Promise<number[]> {
  const counts: number[] = [];
  let asked = 0;
  page.on('request', (request) => {
    // A list looks for news as well until then: at its first page.
    if (url.test(request.url()) && request.url().includes('after=')) asked += 1;
  });
  while ((await button('Show more').count()) > 0) {
    const [before, askedBefore] = [await rows(), asked];
    await button('Show more').click();
    await expect.poll(rows).toBeGreaterThan(before);
    counts.push(asked - askedBefore);
  }
  return counts;
}

describe('a long list', () => {
  it('of endpoints is read page by page to its end, and all of them can be chosen', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 620; at += 1) ids.push(await owner.endpoint({ path: `/endpoint-${at}` }));
    await page.goto(owner.url('/endpoints'));
    await expect.poll(rows).toBe(100);
    expect(await readOn(/\/hooks\/\?/)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await rows()).toBe(620);

    await page.goto(owner.url('/deliveries'));
    await button('Filters').click();
    await page.getByRole('combobox', { name: 'Endpoint' }).fill('/endpoint-619');
    await expect.poll(() => page.locator('#offered-endpoints option').count()).toBe(1);
    await page
      .getByRole('combobox', { name: 'Endpoint' })
      .fill(`${owner.receiver.url}/endpoint-619`);
    await page.getByRole('link', { name: '/endpoint-619' }).waitFor();
    await visitor.expectAccessible();
    expect(page.url()).toContain('endpoint=sub_');
    await page.getByRole('button', { name: 'Remove the filter by endpoint' }).click();
    await expect.poll(() => page.url()).not.toContain('endpoint=');
    for (const id of ids) await owner.api.subscribers.delete(id, 'any');
  });

  it('of deliveries is read page by page to its end, and goes on with the newest', async () => {
    const id = await owner.endpoint();
    const send = (title: string) =>
      owner.api.app.get(WebhookDispatcher).send('article.created', { title }, { owner: 'alice' });
    for (let at = 0; at < 530; at += 1) await send(`Article ${at}`);
    const count = async () =>
      (await owner.api.app.get(Deliveries).history({ subscriberId: id }, 'any'))!.total.succeeded;
    await expect.poll(count).toBe(530);
    await page.goto(owner.url(`/deliveries?endpoint=${id}`));
    await expect.poll(rows).toBe(50);
    const requests = await readOn(/\/hooks\/deliveries\?/);
    expect(await rows()).toBe(530);
    expect(requests).toEqual(Array.from({ length: 10 }, () => 1));
    const newest = () => page.locator('tbody a').first().getAttribute('href');
    const first = await newest();
    await send('The newest');
    await button('Show the newest').click();
    await expect.poll(newest).not.toBe(first);
    expect(await rows()).toBe(50);
    // It is live again.
    const second = await newest();
    await send('The newest of all');
    await expect.poll(newest).not.toBe(second);
  });
});

describe('deliveries', () => {
  it('are filtered by the endpoint whose name is typed', async () => {
    const { id } = await owner.api.subscribers.create({
      ...{ url: `${owner.receiver.url}/warehouse`, events: ['*'], owner: 'alice' },
      description: 'Warehouse',
    });
    await owner.endpoint({ path: '/other' });
    await page.goto(owner.url('/deliveries'));
    await button('Filters').click();
    const field = page.getByRole('combobox', { name: 'Endpoint' });
    await field.pressSequentially('Warehouse');
    // The browser shows it beside the URL.
    await expect
      .poll(() => page.locator('#offered-endpoints option').getAttribute('label'))
      .toBe('Warehouse');
    await field.press('Enter');
    const chosen = page.getByRole('link', { name: 'Warehouse', exact: true });
    await chosen.waitFor();
    expect(await chosen.getAttribute('title')).toBe(`${owner.receiver.url}/warehouse`);
    expect(page.url()).toContain(`endpoint=${id}`);
  });

  it('are found by their id, their message, their endpoint, and from a time to another', async () => {
    const one = await owner.endpoint({ path: '/one' });
    await owner.endpoint({ path: '/other' });
    const id = await owner.deliver(one, {});
    const { messageId } = (await owner.api.app.get(Deliveries).findById(id, 'any'))!;
    await page.goto(owner.url('/deliveries'));
    await expect.poll(rows).toBe(2);
    await button('Filters').click();
    const field = page.getByLabel('Id of a delivery or message');
    const find = async (text: string, found: number) => {
      await field.fill(text);
      await field.press('Enter');
      await expect.poll(() => page.url()).toContain(text);
      await expect.poll(rows).toBe(found);
    };
    await find(id, 1);
    await expect.poll(() => page.locator('tbody').textContent()).toContain('/one');
    await find(messageId, 2);
    await find(one, 1);
    await find('dlv_01900000-0000-7000-8000-000000000000', 0);
    await button('Remove filters').click();
    await expect.poll(rows).toBe(2);

    await page.getByRole('combobox', { name: 'Time' }).selectOption('Created from … to');
    await page.getByLabel('To', { exact: true }).fill('2026-01-31T12:00');
    await page.getByText('No results').waitFor();
    await page.getByLabel('From', { exact: true }).fill('2026-02-28T12:00');
    await page.getByText('The end must be after the beginning.').waitFor();
    await visitor.expectAccessible();
    await page.getByLabel('To', { exact: true }).fill('2099-01-31T12:00');
    await page.reload();
    await expect.poll(rows).toBe(2);

    // The message leads to all of its deliveries.
    await page.goto(owner.url(`/deliveries/${id}`));
    await page.getByRole('link', { name: messageId }).click();
    await expect.poll(rows).toBe(2);
  });

  it('that an owner selects are sent again, and it is said which cannot be', async () => {
    owner.receiver.otherwise(500);
    const [good, off] = [
      await owner.endpoint({ path: '/good' }),
      await owner.endpoint({ path: '/off' }),
    ];
    await owner.deliver(good, { at: 1 });
    await owner.deliver(good, { at: 2 });
    const attempts = async () => {
      const { items } = await owner.api.app.get(Deliveries).list({ subscriberId: off }, 'any');
      return items.map(({ attemptCount }) => attemptCount);
    };
    await expect.poll(attempts).toEqual([1, 1]);
    await owner.api.subscribers.update(off, { enabled: false }, 'any');
    owner.receiver.otherwise(200);
    owner.receiver.clear();
    await page.goto(owner.url('/deliveries'));
    await expect.poll(rows).toBe(4);
    const boxes = page.locator('tbody input[type=checkbox]');
    await boxes.nth(0).check();
    await boxes.nth(1).check();
    await visitor.expectAccessible();
    await button('Resend selected (2)').click();
    await page.getByText('1 delivery is being sent').waitFor();
    await page
      .getByText('1 left out: The endpoint is disabled, has expired or was removed.')
      .waitFor();
    await visitor.expectAccessible();
    await expect.poll(() => owner.receiver.received.length).toBe(1);
    await page.getByLabel('Select all shown').check();
    await button('Resend selected (4)').waitFor();
  });

  it('of operators name the URLs of their endpoints', async () => {
    const id = await owner.endpoint({ path: '/of-alice' });
    const delivery = await owner.deliver(id, {});
    await page.goto(owner.url('/operator/deliveries'));
    const row = page.locator('tbody tr').filter({ hasText: `${owner.receiver.url}/of-alice` });
    await row.first().waitFor();
    await page.goto(owner.url(`/operator/deliveries/${delivery}`));
    await page.getByRole('link', { name: `${owner.receiver.url}/of-alice` }).click();
    await page.getByRole('heading', { name: new URL(owner.receiver.url).host }).waitFor();
    await page.locator('.lead').getByText('/of-alice').waitFor();
    expect(page.url()).toContain(`#/operator/endpoints/${id}`);
  });
});

describe('a test', () => {
  it('sends what was typed, and shows what the endpoint answered', async () => {
    const id = await owner.endpoint();
    owner.receiver.otherwise({ status: 422, body: '{"wrong":"title"}' });
    await page.goto(owner.url(`/endpoints/${id}`));
    await button('Send a test').click();
    const send = page.getByRole('dialog').getByRole('button', { name: 'Send a test' });
    await page.getByLabel('Event', { exact: true }).selectOption('article.created');
    const data = page.getByLabel('Data, as JSON');
    await expect.poll(() => data.inputValue()).toContain('"Hello"');
    await data.fill('{"title":');
    await send.click();
    await page.getByText('This is not JSON.').waitFor();
    await data.fill('{"title":"Mine"}');
    await send.click();
    await page.getByText('The endpoint answered 422, which is not a success.').waitFor();
    await page.getByRole('group', { name: 'Response' }).getByText('"wrong"').waitFor();
    await visitor.expectAccessible();
    expect(owner.receiver.received.map(({ json }) => json)).toMatchObject([
      { type: 'article.created', data: { title: 'Mine' } },
    ]);
  });
});
