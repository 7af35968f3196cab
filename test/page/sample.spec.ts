import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openChromium } from '../support/open-chromium.js';
import { startSeededBlog } from '../support/apps/seeded-blog.js';
import { PageVisitor } from '../support/page-visitor.js';

let browser: Browser;
let blog: Awaited<ReturnType<typeof startSeededBlog>>;
let visitor: PageVisitor;

beforeAll(async () => {
  browser = await openChromium();
  blog = await startSeededBlog();
}, 180_000);
afterAll(async () => {
  await browser.close();
  await blog.stop();
});
beforeEach(async () => {
  visitor = await PageVisitor.start(browser);
});
afterEach(() => visitor.end());

it('shows a user of the sample their endpoints in every state, and those of nobody else', async () => {
  const { page } = visitor;
  await page.goto(`${blog.url}/sign-in/alice`);
  await page.getByRole('link', { name: 'Endpoints' }).click();
  for (const [name, host] of [
    ['Search index', 'search'],
    ['Newsletter, which is slow', 'newsletter'],
    ['Partner site, down since yesterday', 'partner'],
    ['Staging', 'staging'],
  ] as const) {
    await page.getByRole('link', { name }).waitFor();
    await page.getByTitle(`https://${host}.example.com/webhooks`).first().waitFor();
  }
  await page.getByText('Disabled').last().waitFor();
  expect(await page.getByText('chat.example.com').count()).toBe(0);
  expect(await page.getByText('Operator').count()).toBe(0);
  await visitor.expectAccessible();
});

it.each(['Succeeded', 'Failed', 'Pending'])('has deliveries that are %s', async (status) => {
  const { page } = visitor;
  await page.goto(`${blog.url}/sign-in/alice`);
  await page.getByRole('link', { name: 'Deliveries', exact: true }).click();
  await page.getByRole('button', { name: status, exact: true }).click();
  await page.locator('tbody').getByText(status).first().waitFor();
  await page.locator('tbody a').first().click();
  await page.getByRole('heading', { name: 'Attempt 1' }).waitFor();
  expect(await page.locator('main').getByText(status).count()).toBeGreaterThan(0);
});

it('shows the operator everybody', async () => {
  const { page } = visitor;
  await page.goto(`${blog.url}/sign-in/operator`);
  await page.getByText('Backlog').first().waitFor();
  await page.goto(`${blog.url}/webhooks/#/operator/endpoints`);
  const rows = page.locator('tbody');
  await expect.poll(() => rows.getByText('user-alice').count()).toBe(4);
  expect(await rows.getByText('user-bob').count()).toBe(2);
});
