import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DispatchStrategy } from '../../lib/dispatch/index.js';
import { Deliveries, WebhookDispatcher } from '../../lib/index.js';
import type { OutboxStrategy } from '../../lib/outbox/index.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';

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

describe('the overview of an owner', () => {
  it('shows what was sent to all endpoints, their state, and what failed', async () => {
    const good = await owner.endpoint();
    const off = await owner.endpoint({ path: '/off' });
    await owner.api.subscribers.update(off, { enabled: false }, 'any');
    await owner.deliver(good, {});
    owner.receiver.otherwise(500);
    const failed = await owner.deliver(good, {});
    const others = await owner.api.subscribers.create({
      url: `${owner.receiver.url}/of-bob`,
      events: ['*'],
      owner: 'bob',
    });
    await owner.deliver(others.id, {}, 'bob');

    await page.goto(owner.url('/'));
    const endpoints = page.getByRole('table', { name: 'Endpoints' });
    await endpoints.getByText('1 of 2 attempts').waitFor();
    await endpoints.getByText('Failing').waitFor();
    await visitor.expectAccessible();
    const rows = await endpoints.getByRole('row').allTextContents();
    expect(rows).toHaveLength(3);
    expect(rows[1]).toContain('Failing');
    expect(rows[1]).toContain('1 of 2 attempts failed');
    expect(rows[2]).toContain('/off');
    expect(rows[2]).toContain('Disabled');
    expect(rows[2]).toContain('0 attempts');
    const figures = page.locator('.figures');
    await expect
      .poll(() => figures.textContent())
      .toContain('Attempts2Success rate50%Failed attempts1');

    // The plots, and the same as tables.
    await page.getByRole('img', { name: 'Attempts by hour' }).waitFor();
    await page.getByRole('img', { name: 'Response time' }).waitFor();
    for (const summary of await page.getByText('Show as a table').all()) await summary.click();
    const table = page.getByRole('table', { name: 'Attempts by hour' });
    // In one hour, or in two where another has begun meanwhile.
    const cells = (await table.getByRole('cell').allTextContents()).join(' ');
    expect(cells).toMatch(/^\d+:00 (?:AM|PM) (?:1 1|0 1 \d+:00 (?:AM|PM) 1 0)$/);
    expect(await page.getByRole('table', { name: 'Response time' }).textContent()).toMatch(/ms/);
    await visitor.expectAccessible();

    await page.getByRole('button', { name: '30 days' }).click();
    await page.getByRole('img', { name: 'Attempts by day' }).waitFor();
    expect(page.url()).toContain('#/?by=day');
    await page.getByRole('table', { name: 'Deliveries' }).getByRole('link').click();
    await page.getByRole('heading', { name: 'article.created' }).waitFor();
    expect(page.url()).toContain(failed);
  });

  it('is read in German at 360 px', async () => {
    await owner.deliver(await owner.endpoint({ path: `/${'long'.repeat(20)}` }), {});
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(owner.url('/'));
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByLabel('Language').selectOption('de');
    await page.getByRole('img', { name: 'Versuche je Stunde' }).waitFor();
    await page.getByText('1 Versuch', { exact: true }).waitFor();
    expect(await page.title()).toBe('Übersicht · Webhooks');
    // A drawing shrinks with its letters.
    const height = await page.evaluate<number>(
      `document.querySelector('.plot text').getBoundingClientRect().height`,
    );
    expect(height).toBeGreaterThan(10);
    await visitor.expectNoOverflow();
    await visitor.expectAccessible();
  });

  it('asks for a first endpoint where there is none', async () => {
    await page.goto(owner.url('/'));
    await page.getByText('No endpoints yet').waitFor();
    await page.getByRole('link', { name: 'Add endpoint' }).click();
    await expect.poll(() => page.url()).toContain('#/endpoints/new');
  });
});

describe('an endpoint that is dead', () => {
  it('looks dead: on the overview, in the menu, in the list and on its own screen', async () => {
    // It is beyond what the overview would show by itself.
    const dead = await owner.endpoint({ path: '/dead' });
    for (let at = 0; at < 12; at += 1) {
      await owner.endpoint({ path: `/quiet-${at}`, events: ['order.paid'] });
    }
    owner.receiver.otherwise(500);
    for (const at of [1, 2, 3]) await owner.deliver(dead, { at });
    await page.goto(owner.url('/'));
    const menu = page.getByRole('navigation', { name: 'Menu' });
    await menu.getByRole('link', { name: 'Endpoints (1 failing)' }).waitFor();
    const rows = page.getByRole('table', { name: 'Endpoints' }).locator('tbody tr');
    await rows.filter({ hasText: '/dead' }).getByText('Failing').waitFor();
    await visitor.expectAccessible();

    await menu.getByRole('link', { name: 'Endpoints' }).click();
    await page.getByRole('combobox', { name: 'State' }).selectOption('Failing');
    await page.locator('tbody tr').filter({ hasText: '/dead' }).getByText('since').waitFor();
    await page.getByRole('link', { name: '/dead' }).click();
    await page.getByText(/^Every attempt has failed since .*3 events have failed/).waitFor();
    const figures = page.locator('.figures');
    await expect
      .poll(() => figures.textContent())
      .toContain('Success rate0%Attempts3Failed attempts3');
    expect(await page.locator('.lead').textContent()).toContain('Failing');
    await visitor.expectAccessible();

    owner.receiver.otherwise(200);
    await page.getByRole('link', { name: 'article.created' }).first().click();
    await page.getByRole('button', { name: 'Resend' }).click();
    await page.getByText('Succeeded').waitFor();
    await page.goto(owner.url(`/endpoints/${dead}`));
    await page.locator('.lead').getByText('Unstable').waitFor();
    expect(await page.getByText('Every attempt has failed').count()).toBe(0);
  });

  it('is found among others that fail, without one that was just removed', async () => {
    const [dead, removed] = [
      await owner.endpoint({ path: '/dead' }),
      await owner.endpoint({ path: '/removed' }),
    ];
    owner.receiver.otherwise(500);
    for (const id of [dead, removed]) await owner.deliver(id, {});
    await page.goto(owner.url('/endpoints'));
    const menu = page.getByRole('navigation', { name: 'Menu' });
    await menu.getByRole('link', { name: 'Endpoints (2 failing)' }).waitFor();
    await owner.api.subscribers.delete(removed, 'any');
    await page.getByRole('combobox', { name: 'State' }).selectOption('Failing');
    await expect
      .poll(() => page.locator('tbody tr').allTextContents())
      .toEqual([expect.stringContaining('/dead')]);
    await visitor.expectAccessible();
  });

  it('is said to have failed where it has, however many deliveries have failed since', async () => {
    const [first, other] = [
      await owner.endpoint({ path: '/first' }),
      await owner.endpoint({ path: '/other', events: ['order.paid'] }),
    ];
    owner.receiver.otherwise(500);
    await owner.deliver(first, {});
    owner.receiver.otherwise(({ path }) => (path.endsWith('/first') ? 200 : 500));
    await owner.deliver(first, {});
    for (let at = 0; at < 60; at += 1) {
      await owner.api.app.get(WebhookDispatcher).send('order.paid', {}, { owner: 'alice' });
    }
    const deliveries = owner.api.app.get(Deliveries);
    await expect
      .poll(async () => {
        const { items } = await deliveries.list({ subscriberId: other, limit: 100 }, 'any');
        return items.filter((one) => one.attemptCount > 0).length;
      })
      .toBe(60);
    await page.goto(owner.url('/'));
    const rows = page.getByRole('table', { name: 'Endpoints' }).locator('tbody tr');
    const row = rows.filter({ hasText: '/first' });
    await row.getByText('1 of 2 attempts failed').waitFor();
    await row.getByRole('link', { name: /now|ago/ }).click();
    await page.getByRole('link', { name: '/first' }).waitFor();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2);
    expect(page.url()).toContain(`endpoint=${first}`);
  });

  it('says why nothing is sent to it: it has asked for a pause, or an operator made one', async () => {
    const id = await owner.endpoint();
    owner.receiver.otherwise({ status: 503, headers: { 'retry-after': '600' } });
    await owner.deliver(id, {});
    await page.goto(owner.url(`/endpoints/${id}`));
    await page.getByText('The endpoint asked for a pause.').waitFor();
    await page.getByText(/The next attempt is in \d+ min/).waitFor();
    const host = new URL(owner.receiver.url).host;
    const strategy = owner.api.app.get<OutboxStrategy>(DispatchStrategy);
    await strategy.pause(host);
    await page.reload();
    await page.getByText('Sending to this endpoint is paused.').waitFor();
    await visitor.expectAccessible();
    await strategy.resume(host);
    await expect.poll(async () => (await strategy.pauses()).length).toBe(0);
  });
});
