import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DispatchStrategy } from '../../lib/extending/index.js';
import { Deliveries, WebhookDispatcher } from '../../lib/index.js';
import type { OutboxStrategy } from '../../lib/outbox/index.js';
import { AnybodyGuard } from '../support/apps/api-app.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';
import { downloaded } from '../support/downloaded.js';

const HOSTILE: readonly string[] = [
  '<img src=x onerror="document.title=1"><script>document.title=2</script>',
  'long'.repeat(60),
  '\u202Eמספר אחד\u202C עברית',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  '=HYPERLINK("https://example.com")',
];

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;

beforeAll(async () => {
  owner = await OwnerPage.start({
    operatorApi: { guards: [AnybodyGuard] },
    maxStaleness: 100,
    retries: { schedule: [3_600_000, 3_600_000] },
  });
}, 180_000);
afterAll(() => owner.stop());
beforeEach(async () => {
  visitor = await owner.visit();
  page = visitor.page;
});
afterEach(() => visitor.end());

const row = (text: string) => page.locator('tbody tr').filter({ hasText: text });
const strategy = () => owner.api.app.get<OutboxStrategy>(DispatchStrategy);
const named = async (description: string, path = '/hooks') => {
  const { id } = await owner.api.subscribers.create({
    ...{ url: owner.receiver.url + path, events: ['article.*'], owner: 'alice', description },
  });
  return id;
};

describe('an operator', () => {
  it('sees what is wrong first, and is at the owner with one click', async () => {
    await page.goto(owner.url('/operator'));
    await page.getByText('All is well').waitFor();
    await visitor.expectAccessible();
    const id = await owner.endpoint({ path: '/dead' });
    owner.receiver.otherwise(500);
    await owner.deliver(id, {});
    await strategy().pause('hooks.example.com');
    await page.reload();
    const failing = page.getByRole('table', { name: 'Failing endpoints' });
    await failing.getByRole('link', { name: '/dead' }).waitFor();
    await page.getByRole('table', { name: 'Paused hosts' }).waitFor();
    const heads = await page.getByRole('heading', { level: 2 }).allTextContents();
    expect(heads.indexOf('Failing endpoints')).toBeLessThan(heads.indexOf('Now'));
    await visitor.expectAccessible();
    await page.setViewportSize({ width: 360, height: 740 });
    await visitor.expectNoOverflow();
    await failing.getByRole('link', { name: 'alice' }).click();
    await row('/dead').waitFor();
    expect(page.url()).toContain('#/operator/endpoints?owner=alice');
    await strategy().resume('hooks.example.com');
  });
});

describe('a list', () => {
  it('names an endpoint by its description, with its URL on one line, on hover and to be copied', async () => {
    const path = `/begin/${'long-'.repeat(40)}end`;
    const endpoint = await named('Warehouse', path);
    await owner.deliver(endpoint, {});
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    for (const screen of ['/endpoints', '/deliveries', '/operator/deliveries']) {
      await page.goto(owner.url(screen));
      const found = row('Warehouse');
      await found.waitFor();
      const url = found.locator('small.line');
      expect(await url.textContent()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/hooks\/.*….*-end$/);
      expect(await url.getAttribute('title')).toBe(owner.receiver.url + path);
      const line = (await url.boundingBox())!.height;
      expect(line).toBeLessThan(30);
      await found.getByRole('button', { name: 'Copy URL' }).click();
      await found.getByRole('button', { name: 'Copied' }).waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(owner.receiver.url + path);
      await visitor.expectAccessible();
    }
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(owner.url('/deliveries'));
    await row('Warehouse').waitFor();
    await visitor.expectNoOverflow();
    await visitor.expectAccessible();
  });

  it('says what comes next for a delivery', async () => {
    const endpoint = await named('Warehouse');
    await owner.deliver(endpoint, {});
    owner.receiver.otherwise(500);
    await owner.deliver(endpoint, {});
    await page.goto(owner.url('/deliveries'));
    await row('Succeeded').waitFor();
    await row('Pending')
      .getByText(/^Next attempt in \d+ min/)
      .or(row('Pending').getByText(/^Next attempt in 1 hr/))
      .waitFor();
    // Amber is for what has failed.
    await expect.poll(() => row('Pending').locator('.badge.wait').count()).toBe(1);

    await strategy().pause('*');
    await owner.api.app.get(WebhookDispatcher).send('article.created', {}, { owner: 'alice' });
    await expect.poll(() => row('Paused by the operator').count()).toBe(2);
    expect(await row('Pending').first().locator('.badge.off').count()).toBe(1);
    await visitor.expectAccessible();
    await strategy().resume('*');
  });

  it('says how many there are, and sorts them once all are shown', async () => {
    for (let at = 0; at < 105; at += 1) await named(`Shop ${at}`, `/shop-${at}`);
    await page.goto(owner.url('/endpoints'));
    await page.getByText('100 of 105').waitFor();
    expect(await page.getByRole('button', { name: 'Endpoint', exact: true }).count()).toBe(0);
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('105 in all').waitFor();
    const sort = page.getByRole('button', { name: 'Endpoint' });
    const first = () => page.locator('tbody a').first().textContent();
    await sort.click();
    await expect.poll(first).toBe('Shop 0');
    await sort.click();
    await expect.poll(first).toBe('Shop 104');
    expect(await page.locator('th[aria-sort=descending]').textContent()).toContain('Endpoint');
    await visitor.expectAccessible();
  });

  it('is saved as CSV as it is filtered, without formulas and queries', async () => {
    await owner.endpoint({ path: '/other' });
    const id = await named('=HYPERLINK("https://evil.example.com")', '/hooks?token=hidden');
    await owner.deliver(id, {});
    await page.goto(owner.url('/endpoints?q=HYPERLINK'));
    const file = async () => {
      const waiting = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Export CSV' }).click();
      return (await downloaded(await waiting)).toString();
    };
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
    const lines = (await file()).split('\r\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain(`"'=HYPERLINK(""https://evil.example.com"")"`);
    expect(lines[1]).toContain(`"${owner.receiver.url}/hooks"`);
    expect(lines.join('')).not.toContain('hidden');
    await page.goto(owner.url(`/deliveries?endpoint=${id}`));
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
    const deliveries = await file();
    expect(deliveries.split('\r\n')).toHaveLength(3);
    expect(deliveries).not.toContain('hidden');
  });

  it('is walked with j and k, and never while somebody types', async () => {
    for (const name of ['One', 'Two']) await named(name);
    await page.goto(owner.url('/endpoints'));
    await row('Two').waitFor();
    const focused = () => page.evaluate<string>('document.activeElement.textContent');
    const [first, second] = await page.locator('tbody a').allTextContents();
    await page.keyboard.press('j');
    await expect.poll(focused).toBe(first);
    await page.keyboard.press('j');
    await expect.poll(focused).toBe(second);
    await page.keyboard.press('k');
    await expect.poll(focused).toBe(first);
    await page.keyboard.press('/');
    await page.keyboard.type('jk?/');
    expect(await page.getByLabel('Search').inputValue()).toBe('jk?/');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.getByLabel('Search').fill('');
    await page.getByRole('heading', { level: 1 }).focus();
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await dialog.getByText('Go to the next row').waitFor();
    await visitor.expectAccessible();
    await dialog.getByLabel('Use these shortcuts').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
    await dialog.getByLabel('Use these shortcuts').check();
  });

  it('shows what others wrote as text, whatever it is', async () => {
    for (const [at, text] of HOSTILE.entries()) await named(text, `/hostile-${at}`);
    await owner.deliver(await owner.endpoint(), {});
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      for (const screen of ['/endpoints', '/deliveries', '/operator/endpoints', '/']) {
        await page.goto(owner.url(screen));
        await row(HOSTILE[4]!).first().waitFor();
        expect(await page.title()).not.toMatch(/^[12]$/);
        expect(await page.locator('main img, main script').count()).toBe(0);
        await visitor.expectNoOverflow();
      }
      await visitor.expectAccessible();
    }
  });
});

describe('a message', () => {
  it('has a page with all its deliveries and what was sent', async () => {
    const one = await named('Warehouse', '/one');
    await named('Shop', '/other');
    const id = await owner.deliver(one, { title: 'Hello' });
    const { messageId } = (await owner.api.app.get(Deliveries).findById(id, 'any'))!;
    await page.goto(owner.url(`/deliveries/${id}`));
    await page.getByRole('link', { name: messageId }).click();
    await page.getByRole('heading', { name: 'What was sent' }).waitFor();
    expect(page.url()).toContain(`#/messages/${messageId}`);
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2);
    await page.getByText('Succeeded: 2').waitFor();
    await page.getByRole('group', { name: 'Body' }).getByText('"Hello"').waitFor();
    await visitor.expectAccessible();
    await page.goto(owner.url('/messages/msg_01900000-0000-7000-8000-000000000000'));
    await page.getByText('No delivery of this message is stored.').waitFor();
  });
});

describe('a delivery', () => {
  it('shows request and answer side by side, what changed since the attempt before, and the time left', async () => {
    const endpoint = await owner.endpoint();
    owner.receiver.otherwise({ status: 500, body: '{"wrong":"title","times":2,"ok":false}' });
    const id = await owner.deliver(endpoint, {});
    const again = async (count: number) => {
      await owner.api.app.get(Deliveries).retry(id, 'any');
      await expect
        .poll(async () => (await owner.api.app.get(Deliveries).findById(id, 'any'))!.attemptCount)
        .toBe(count);
    };
    await again(2);
    owner.receiver.otherwise({ status: 503, body: '{"wrong":"database"}' });
    await again(3);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(owner.url(`/deliveries/${id}`));
    // The newest is the first.
    const attempt = (number: number) => page.locator('.timeline > li').nth(3 - number);
    await attempt(2).getByText('The same response as attempt 1').waitFor();
    await attempt(3).getByText('Changed since the attempt before: status, body').waitFor();
    expect(await page.getByText('"title"').count()).toBe(1);
    await attempt(1).getByText('Response', { exact: true }).first().click();
    await attempt(1).getByText('"title"').waitFor();

    const box = async (name: string) =>
      (await page.getByRole('heading', { name, exact: true }).boundingBox())!;
    expect((await box('Request')).y).toBe((await box('Response')).y);
    await page
      .getByRole('timer')
      .getByText(/^\d\d:\d\d:\d\d$/)
      .waitFor();
    expect(await page.getByRole('timer').getAttribute('aria-live')).toBeNull();
    expect(await page.locator('.actions button').first().textContent()).toBe('Resend');
    await visitor.expectAccessible();
    await page.setViewportSize({ width: 360, height: 740 });
    expect((await box('Request')).y).toBeLessThan((await box('Response')).y);
    await visitor.expectNoOverflow();
    await visitor.expectAccessible();

    await page.getByRole('button', { name: 'Verify this signature' }).click();
    const dialog = page.getByRole('dialog', { name: 'Verify this signature' });
    for (const [language, code] of [
      ['Node', "from 'standardwebhooks'"],
      ['Python', 'from standardwebhooks.webhooks'],
      ['Go', 'standardwebhooks.NewWebhook'],
      ['PHP', '\\StandardWebhooks\\Webhook'],
      ['Ruby', 'StandardWebhooks::Webhook'],
    ] as const) {
      await dialog.getByRole('button', { name: language, exact: true }).click();
      await expect.poll(() => dialog.locator('pre').textContent()).toContain(code);
    }
    await visitor.expectNoOverflow();
    await visitor.expectAccessible();
  });

  it('leads to the delivery that it waits for', async () => {
    await owner.api.subscribers.create({
      ...{ url: owner.receiver.url, events: ['*'], owner: 'alice', ordered: true },
    });
    owner.receiver.otherwise(500);
    const dispatcher = owner.api.app.get(WebhookDispatcher);
    for (const event of ['article.created', 'article.changed']) {
      await dispatcher.send(event, {}, { owner: 'alice', orderBy: 'article:1' });
    }
    await page.goto(owner.url('/deliveries'));
    await row('article.changed').getByText('Waits for an earlier event').waitFor();
    await row('article.changed').getByRole('link', { name: 'article.changed' }).click();
    await page.getByRole('link', { name: 'After an earlier event of the same object' }).click();
    await page.getByRole('heading', { name: 'article.created' }).waitFor();
    expect(await page.getByText('Later events wait').count()).toBe(0);
  });
});

describe('a first visit', () => {
  it('leads to a first webhook in three steps', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(owner.url('/'));
    await page.getByRole('heading', { name: 'Add an endpoint' }).waitFor();
    await page.getByText('No server yet?').click();
    await page.getByText('npx thorn listen --port 4000').waitFor();
    await visitor.expectNoOverflow();
    await visitor.expectAccessible();
    const id = await owner.endpoint();
    await page.reload();
    await page.getByRole('heading', { name: 'Add an endpoint Done' }).waitFor();
    await visitor.expectAccessible();
    await page.getByRole('link', { name: 'Go to the endpoint' }).click();
    expect(page.url()).toContain(`/endpoints/${id}`);
    await owner.deliver(id, {});
    await page.goto(owner.url('/'));
    await page.getByRole('img', { name: 'Attempts by hour' }).waitFor();
    expect(await page.getByRole('heading', { name: 'Add an endpoint' }).count()).toBe(0);
  });
});
