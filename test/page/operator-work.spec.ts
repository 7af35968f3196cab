import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openChromium } from '../support/open-chromium.js';
import { startSeededBlog } from '../support/apps/seeded-blog.js';
import { PageVisitor } from '../support/page-visitor.js';

let browser: Browser;
let blog: Awaited<ReturnType<typeof startSeededBlog>>;
let visitor: PageVisitor;

const ask = async (method: string, path: string, body?: object) => {
  const response = await fetch(`${blog.url}/hooks-operator/${path}`, {
    method,
    headers: { authorization: 'Bearer token-of-operator', 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return text === '' ? {} : JSON.parse(text);
};

beforeAll(async () => {
  browser = await openChromium();
  blog = await startSeededBlog();
  // What is retried below is not sent: its hosts are nowhere.
  await ask('POST', 'pauses', { host: '*' });
}, 180_000);
afterAll(async () => {
  await browser.close();
  await blog.stop();
});
beforeEach(async () => {
  visitor = await PageVisitor.start(browser);
});
afterEach(() => visitor.end());

const enter = async (path: string) => {
  await visitor.page.goto(`${blog.url}/sign-in/operator`);
  await visitor.page.goto(`${blog.url}/webhooks/#${path}`);
};

describe('an operator', () => {
  it('sees load and throughput', async () => {
    const { page } = visitor;
    await enter('/operator');
    const throughput = page.getByRole('img', { name: 'Attempts by hour' });
    await throughput.waitFor();
    expect(await throughput.locator('rect').count()).toBeGreaterThan(10);
    await page.getByRole('img', { name: 'Backlog' }).waitFor();
    const lag = await page.getByRole('img', { name: 'Lag' }).boundingBox();
    expect(lag!.width).toBe((await throughput.boundingBox())!.width);
    await visitor.expectAccessible();
    // What was drawn is there again with the first look.
    await page.goto(`${blog.url}/webhooks/#/operator/maintenance`);
    await page.getByRole('heading', { name: 'Maintenance' }).waitFor();
    let looks = 0;
    await page.route('**/overview', async (route) => {
      looks += 1;
      if (looks === 1) await route.continue();
    });
    await page.goto(`${blog.url}/webhooks/#/operator`);
    await page.getByRole('img', { name: 'Backlog' }).waitFor();
  });

  it('goes to a failing endpoint and pauses its host', async () => {
    const { page } = visitor;
    await enter('/operator');
    await page.getByRole('link', { name: 'Partner site, down since yesterday' }).click();
    await page.locator('.lead').getByText('partner.example.com/webhooks').waitFor();
    await page.getByRole('link', { name: 'user-alice' }).waitFor();
    await page.locator('tbody').getByText('Pending').first().waitFor();
    await visitor.expectAccessible();
    await page.getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('button', { name: 'Enable' }).click();
    await page.getByRole('button', { name: 'Disable' }).waitFor();
    await page.getByRole('button', { name: 'Pause partner.example.com' }).click();
    await page.getByRole('cell', { name: 'partner.example.com', exact: true }).first().waitFor();
    expect((await ask('GET', 'overview')).pauses).toMatchObject([
      { host: '*' },
      { host: 'partner.example.com' },
    ]);
  });

  it('retries what an endpoint of anybody failed', async () => {
    const { page } = visitor;
    const { items } = await ask('GET', 'subscribers?owner=user-alice');
    const { id } = items.find((one: { url: string }) => one.url.includes('staging'));
    await enter(`/operator/endpoints/${id}`);
    await page.getByRole('button', { name: 'Enable' }).click();
    await page.getByRole('button', { name: 'Resend failed deliveries' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Since').selectOption('Last 7 days');
    await dialog.getByText(/^\d+ deliver(y|ies) can be sent/).waitFor();
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await dialog.getByText(/^\d+ deliver(y|ies) (is|are) being sent/).waitFor();
    const failed = await ask('GET', `deliveries?subscriber=${id}&status=failed`);
    expect(failed.items).toEqual([]);
  });

  it('cancels what the filters select, stops meanwhile, is left and goes on', async () => {
    const { page } = visitor;
    const { items } = await ask('GET', 'subscribers?limit=100');
    const { id } = items.find((one: { url: string }) => one.url.includes('partner.example.com'));
    const pending = async () =>
      (await ask('GET', `deliveries?status=pending&subscriber=${id}&limit=100`)).items
        .length as number;
    const all = await pending();
    expect(all).toBeGreaterThan(25);
    await enter(`/operator/deliveries?endpoint=${id}`);
    await page.locator('tbody tr').first().waitFor();
    await page.getByRole('button', { name: 'Cancel all pending' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`${all} deliveries match.`).waitFor();
    await visitor.expectAccessible();

    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/cancel', async (route) => {
      await held;
      await route.continue();
    });
    await dialog.getByRole('button', { name: 'Start' }).click();
    await dialog.getByRole('button', { name: 'Stop' }).click();
    release();
    await dialog.getByText('5 deliveries cancelled').waitFor();
    expect(await pending()).toBe(all - 5);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.goto(`${blog.url}/webhooks/#/operator`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.goto(`${blog.url}/webhooks/#/operator/deliveries?status=failed`);
    const left = page.getByRole('button', { name: 'Cancel all pending' });
    await left.getByText('stopped: 5 deliveries cancelled').waitFor();
    await left.click();
    await dialog.getByText(id).waitFor();
    await visitor.expectAccessible();
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await left.getByText(`${all} deliveries cancelled`).waitFor();
    expect(await pending()).toBe(0);
    await left.click();
    await dialog.getByText(`${all} deliveries cancelled`).waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    // What is done is not kept, and does not fit these filters.
    await left.waitFor({ state: 'detached' });
  });

  it('retries what the filters select', async () => {
    const { page } = visitor;
    await enter('/operator/deliveries?owner=user-alice&status=failed');
    await page.locator('tbody tr').first().waitFor();
    expect(await page.getByRole('button', { name: 'Cancel all pending' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Resend all failed' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Resend' }).click();
    const failed = async () =>
      (await ask('GET', 'deliveries?status=failed&owner=user-alice')).items as unknown[];
    await expect.poll(failed).toEqual([]);
    await dialog.getByText(/^[1-9]\d* deliveries are being sent$/).waitFor();
  });

  it('prunes, and is told why secrets cannot be resealed', async () => {
    const { page } = visitor;
    await enter('/operator/maintenance');
    await page.getByRole('button', { name: 'Delete old messages' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('0 messages would be deleted').waitFor();
    await dialog.getByLabel('Delete messages that finished').selectOption('2 days ago');
    await dialog.getByText(/^[1-9]\d* messages would be deleted/).waitFor();
    await visitor.expectAccessible();
    await dialog.getByRole('button', { name: 'Start' }).click();
    await dialog.getByText(/[1-9]\d* messages deleted/).waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();

    await page.getByRole('button', { name: 'Encrypt secrets again' }).click();
    await dialog.getByText('There is no encryption key').waitFor();
    expect(await dialog.getByRole('button', { name: 'Start' }).count()).toBe(0);
  });
});

describe('in German', () => {
  it.each([
    ['/operator', 'Letzte 24 Stunden'],
    ['/operator/endpoints', 'user-bob'],
    ['/operator/deliveries', 'Alle ausstehenden abbrechen'],
    ['/operator/maintenance', 'Alte Nachrichten löschen'],
  ])('%s is accessible, light and dark, and fits in 360 px', async (path, text) => {
    await visitor.end();
    visitor = await PageVisitor.start(browser, { locale: 'de-DE' });
    await enter(path);
    await visitor.page.getByText(text).first().waitFor();
    await visitor.expectAccessible();
    await visitor.page.setViewportSize({ width: 360, height: 740 });
    await visitor.expectNoOverflow();
    expect(await visitor.page.locator('html').getAttribute('lang')).toBe('de');
  });
});
