import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deliveries, WebhookDispatcher } from '../../lib/index.js';
import { thornPage } from '../../lib/page/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { openChromium } from '../support/open-chromium.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';
import { PageVisitor } from '../support/page-visitor.js';

/** Users by a cookie, as applications have it. */
function userOf(context: ExecutionContext): string | undefined {
  const request = context
    .switchToHttp()
    .getRequest<{ headers: { cookie?: string }; user?: { id: string } }>();
  const id = /\buser=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  if (id !== undefined) request.user = { id };
  return id;
}

@Injectable()
class CookieGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return userOf(context) !== undefined;
  }
}

@Injectable()
class OperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return userOf(context) === 'root';
  }
}

let browser: Browser;
beforeAll(async () => {
  browser = await openChromium();
}, 180_000);
afterAll(() => browser.close());

describe.each(sqliteAndPostgres)('deliveries on $database', ({ create }) => {
  let database: TestDatabase;
  let receiver: ScriptedReceiver;
  let api: Api;
  let visitor: PageVisitor;

  beforeAll(async () => {
    database = await create();
    receiver = await ScriptedReceiver.start();
    api = await startApi('fastify', {
      api: { guards: [CookieGuard], owner: (request) => request.user.id },
      store: database,
      thorn: {
        page: thornPage({ signIn: '/login' }),
        operatorApi: { guards: [OperatorGuard] },
        // No retry comes in between.
        retries: { schedule: [3_600_000] },
        recipients: { ...LOOPBACK_RECIPIENTS, allowedPorts: 'any' },
      },
    });
    receiver.answer(500);
    for (const owner of ['alice', 'bob']) {
      await api.subscribers.create({ url: `${receiver.url}/${owner}`, events: ['*'], owner });
    }
    for (const [owner, event] of [
      ['alice', 'article.created'],
      ['alice', 'order.paid'],
      ['bob', 'article.created'],
    ] as const) {
      await api.app.get(WebhookDispatcher).send(event, {}, { owner });
      await vi.waitFor(async () => {
        const { items } = await api.app.get(Deliveries).list({}, { owner });
        const sent = items.filter((one) => one.event === event && one.attemptCount > 0);
        expect(sent).toHaveLength(1);
      });
    }
  });
  afterAll(async () => {
    await api.app.close();
    await receiver.stop();
    await database.drop();
  });
  beforeEach(async () => {
    visitor = await PageVisitor.start(browser);
  });
  afterEach(() => visitor.end());

  const enter = async (user: string, path: string) => {
    await visitor.context.addCookies([{ name: 'user', value: user, url: api.url }]);
    await visitor.page.goto(`${api.url}/webhooks#${path}`);
  };

  it('shows nothing to callers whom the guards reject', async () => {
    const { page } = visitor;
    await page.goto(`${api.url}/webhooks#/deliveries`);
    await page.getByText('You do not have access to this.').waitFor();
    await visitor.expectAccessible();
    expect(await page.getByText('Operator').count()).toBe(0);
  });

  it('asks nothing of the operator API for an owner, on any screen', async () => {
    const { page } = visitor;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    for (const path of ['/', '/endpoints', '/deliveries', '/events']) {
      await enter('alice', path);
      await page.reload();
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle');
    }
    expect(asked.filter((path) => path.startsWith('/hooks/')).length).toBeGreaterThan(3);
    expect(asked.filter((path) => path.includes('operator'))).toEqual([]);

    // The same browser, by whom the operator API lets in.
    await enter('root', '/operator');
    await expect.poll(() => asked.some((path) => path.includes('operator'))).toBe(true);
  });

  it('shows owners their own, with filters in the address', async () => {
    const { page } = visitor;
    await enter('alice', '/deliveries');
    const rows = page.locator('tbody tr');
    await expect.poll(() => rows.count()).toBe(2);
    await visitor.expectAccessible();
    expect(await page.getByText('Operator').count()).toBe(0);
    await page.getByRole('button', { name: 'Filters', exact: true }).click();
    await page.getByLabel('Event name').fill('article.*');
    await page.getByLabel('Event name').press('Enter');
    await expect.poll(() => rows.count()).toBe(1);
    expect(page.url()).toContain('#/deliveries?event=article.*');
    await page.reload();
    await page.getByText('article.created').waitFor();
    expect(await rows.count()).toBe(1);
    // A filter that is set is seen without the button.
    expect(await page.getByLabel('Event name').inputValue()).toBe('article.*');
    await page.getByLabel('Event name').fill('none.*');
    await page.getByLabel('Event name').press('Enter');
    await page.getByText('No results').waitFor();
    await page.getByRole('button', { name: 'Remove filters' }).click();
    await expect.poll(() => rows.count()).toBe(2);
  });

  it('shows operators those of everybody, cancels one and pauses a host', async () => {
    const { page } = visitor;
    await enter('root', '/operator/deliveries');
    await expect.poll(() => page.locator('tbody tr').count()).toBe(3);
    await visitor.expectAccessible();
    await page.getByRole('button', { name: 'Pending', exact: true }).click();
    await page.getByRole('link', { name: 'article.created' }).click();
    await page.getByText('Attempt 1').waitFor();
    await page.getByText('Address: 127.0.0.1').waitFor();
    await visitor.expectAccessible();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The delivery is cancelled.').waitFor();

    await page.getByRole('link', { name: 'Overview' }).last().click();
    await page.getByText('No endpoint fails', { exact: false }).waitFor();
    await visitor.expectAccessible();
    await page.getByRole('button', { name: 'Pause a host' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Host').fill('not a host');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await dialog.getByText('Enter a host as in a URL, with its port.').waitFor();
    await dialog.getByLabel('Host').fill('hooks.example.com');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('cell', { name: 'hooks.example.com', exact: true }).waitFor();
    await visitor.expectAccessible();
    await page.getByRole('button', { name: 'Resume: hooks.example.com' }).click();
    await page.getByRole('table', { name: 'Paused hosts' }).waitFor({ state: 'detached' });

    await page.goto(`${api.url}/webhooks#/operator/endpoints?owner=bob`);
    await page.getByRole('link', { name: '/bob' }).waitFor();
    expect(await page.locator('tbody tr').count()).toBe(1);
    await visitor.expectAccessible();
    await page.getByRole('button', { name: /^Disable/ }).click();
    await page.getByText('Disabled').waitFor();
    // The page shows it before the API has answered.
    const items = async () => (await api.subscribers.list({ limit: 10 }, { owner: 'bob' })).items;
    await expect.poll(items).toMatchObject([{ enabled: false }]);
  });

  it('searches the endpoints of everybody', async () => {
    const { page } = visitor;
    await enter('root', '/operator/endpoints');
    await page.getByRole('link', { name: '/bob' }).waitFor();
    await page.getByLabel('Search').fill('/ALICE');
    await page.getByRole('link', { name: '/bob' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: '/alice' }).waitFor();
    expect(page.url()).toContain('#/operator/endpoints?q=%2FALICE');
  });

  it('fits in 360 px', async () => {
    const { page } = visitor;
    await page.setViewportSize({ width: 360, height: 740 });
    // The menu of an operator comes once the operator API has let the caller in, and stays.
    for (const path of [
      '/operator',
      '/deliveries',
      '/operator/endpoints',
      '/operator/deliveries',
    ]) {
      await enter('root', path);
      await page.reload();
      await page.getByRole('heading', { level: 1 }).waitFor();
      await expect.poll(() => page.getByText('Operator').count()).toBe(1);
      await visitor.expectNoOverflow();
    }
  });
});
