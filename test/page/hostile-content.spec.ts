import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';
import { downloaded } from '../support/downloaded.js';

const HTML = '<img src=x onerror="document.title=1"><script>document.title=2</script>';

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

describe('what others wrote', () => {
  const open = async (id: string) => {
    await page.goto(owner.url(`/deliveries/${id}`));
    await page.getByRole('heading', { name: 'Request' }).waitFor();
  };
  const expectHarmless = async () => {
    expect(await page.title()).toBe('article.created · Webhooks');
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.evaluate('({}).polluted')).toBeUndefined();
  };

  it('is shown in part and downloaded whole when it has 5 MB', async () => {
    const data = { text: HTML, long: 'ü'.repeat(2_500_000) };
    const id = await owner.deliver(await owner.endpoint(), data);
    await open(id);
    const body = page.getByRole('group', { name: 'Body' });
    await body.getByText('"long": ').waitFor();
    expect((await body.textContent())!.length).toBeLessThan(30_000);
    await page.getByText(/Only the beginning of 4\.8\s?MB is shown/).waitFor();
    await expectHarmless();
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).first().click();
    const file = await downloaded(await waiting);
    expect(file.equals(owner.receiver.received[0]!.body)).toBe(true);
  });

  it('is shown as text: names, numbers and directions of writing in the body of an event', async () => {
    const data = JSON.parse(
      `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},
        "text":${JSON.stringify(`${HTML}\u202Egnp.exe\u200B`)},"number":12345678901234567}`,
    ) as object;
    await open(await owner.deliver(await owner.endpoint(), data));
    const body = page.getByRole('group', { name: 'Body' });
    await body.getByText('"text": ').waitFor();
    const shown = await body.textContent();
    expect(shown).toContain('"__proto__": ');
    expect(shown).toContain('\\u202egnp.exe\\u200b');
    await expectHarmless();
    await visitor.expectAccessible();
  });

  it.each<[string, Buffer, string]>([
    ['deep JSON', Buffer.from('['.repeat(8000) + ']'.repeat(8000)), '['],
    [
      'numbers beyond those of JavaScript',
      Buffer.from('{"n":12345678901234567890}'),
      '"n": 12345678901234567890',
    ],
    ['names that occur twice', Buffer.from('{"a":1,"a":2}'), '"a": 1,'],
    ['what only begins as JSON', Buffer.from(`{"a": "${HTML}`), '<img src=x'],
    ['bytes that are not text', Buffer.from([0, 1, 2, 27, 255, 254, 0x80, 65]), '\\u0001'],
    ['a line without an end', Buffer.from('x'.repeat(16_000)), 'xxx'],
  ])('is shown when an answer is %s', async (_name, body, text) => {
    owner.receiver.otherwise({ status: 500, body });
    await open(await owner.deliver(await owner.endpoint(), {}));
    const answer = page.getByLabel('Response', { exact: true });
    await expect.poll(() => answer.textContent()).toContain(text);
    await visitor.expectNoOverflow();
    await expectHarmless();
    await visitor.expectAccessible();
  });
});

describe('a hundred thousand endpoints', () => {
  it('are listed, searched by the server, and looked through in steps', async () => {
    await owner.endpoint();
    const database = owner.api.app.get(DataSource);
    const [row] = await database.query<[object]>('SELECT * FROM thorn_subscribers');
    const names = Object.keys(row);
    const taken = names.map((name) =>
      name === 'id'
        ? `'sub_' || printf('%08x-0000-7000-8000-000000000000', n)`
        : name === 'url'
          ? `'https://example.com/number-' || n`
          : name,
    );
    await database.query(
      `INSERT INTO thorn_subscribers (${names.join(', ')})
       WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 100000)
       SELECT ${taken.join(', ')} FROM counter, thorn_subscribers WHERE url NOT LIKE '%number%'`,
    );
    await page.goto(owner.url('/endpoints'));
    await page.getByRole('link', { name: 'number-1', exact: false }).first().waitFor();
    expect(await page.getByRole('row').count()).toBe(101);
    await visitor.expectAccessible();
    const search = page.getByLabel('Search');
    await search.fill('NUMBER-99999');
    await page.getByRole('link', { name: 'number-99999' }).waitFor();
    expect(await page.getByRole('row').count()).toBe(2);
    await search.fill('');
    await page.getByLabel('State').selectOption('Disabled');
    await page.getByText('Only a part of the endpoints was searched. There are more.').waitFor();
    await database.query(
      `UPDATE thorn_subscribers SET enabled = 0 WHERE url LIKE '%number-15000' OR url LIKE '%number-85000'`,
    );
    await page.getByRole('button', { name: 'Continue the search' }).click();
    await page.getByRole('link', { name: /number-[18]5000/ }).waitFor();
    await page.goto(owner.url('/'));
    await page.getByText('10 endpoints are shown').waitFor();
    await database.query(`DELETE FROM thorn_subscribers WHERE url LIKE '%number%'`);
  });
});

describe('a server that is away', () => {
  it('is said, asked again, and what was read stays', async () => {
    const endpoint = await owner.endpoint();
    await owner.deliver(endpoint, {});
    await page.goto(owner.url('/deliveries'));
    await page.getByRole('link', { name: 'article.created' }).waitFor();
    await page.context().setOffline(true);
    await page.getByText('The server does not answer. Trying again').waitFor();
    expect(await page.getByRole('link', { name: 'article.created' }).count()).toBe(1);
    await visitor.expectAccessible();
    await owner.deliver(endpoint, {});
    await page.context().setOffline(false);
    const links = () => page.getByRole('link', { name: 'article.created' }).count();
    await expect.poll(links).toBe(2);
    await page.getByText('The server does not answer').waitFor({ state: 'detached' });
  });
});

describe('a clock that is off', () => {
  it.each([-1, 1])('by %i day shows the times of the server', async (days) => {
    await owner.deliver(await owner.endpoint(), {});
    await page.clock.setFixedTime(Date.now() + days * 86_400_000);
    await page.goto(owner.url('/deliveries?time=lastHour'));
    await page.getByRole('link', { name: 'article.created' }).waitFor();
    const times = await page.locator('tbody time').allTextContents();
    expect(times).toEqual([expect.stringMatching(/^(?:now|\d+ sec\. ago)$/)]);
  });
});
