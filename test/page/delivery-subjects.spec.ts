import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { AnybodyGuard } from '../support/apps/api-app.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import { PageVisitor } from '../support/page-visitor.js';
import { seedLog } from '../support/seed-log.js';
import { downloaded } from '../support/downloaded.js';

const HTML = '<img src=x onerror="document.title=1"><script>document.title=2</script>';

const LANGUAGES = [
  {
    locale: 'en-GB',
    search: 'Search',
    hint: 'What it is about, such as an order id',
    all: /^All deliveries of .7.$/,
    csv: 'Export CSV',
    answer: 'Answer',
    noMatch: 'No results',
    clear: 'Remove filters',
  },
  {
    locale: 'de-DE',
    search: 'Suchen',
    hint: 'Worum es geht, etwa eine Bestellnummer',
    all: /^Alle Zustellungen zu .7.$/,
    csv: 'Als CSV speichern',
    answer: 'Antwort',
    noMatch: 'Keine Ergebnisse',
    clear: 'Filter entfernen',
  },
];

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;

const rows = () => page.locator('tbody tr').count();
const subjects = () => page.locator('tbody .subject').allTextContents();

describe.each(LANGUAGES)('the subject of a delivery in $locale', (text) => {
  beforeAll(async () => {
    owner = await OwnerPage.start({ operatorApi: { guards: [AnybodyGuard], bodies: true } });
  }, 180_000);
  afterAll(() => owner.stop());
  beforeEach(async () => {
    await (await owner.visit()).end();
    visitor = await PageVisitor.start(owner.browser, { locale: text.locale });
    page = visitor.page;
  });
  afterEach(() => visitor.end());

  it('leads from "order 7" to the delivery that did not arrive', async () => {
    owner.receiver.otherwise(500);
    const endpoint = await owner.endpoint();
    for (const id of [17, 7, 70]) await owner.deliver(endpoint, { id });
    await page.goto(owner.url('/'));
    await expect.poll(subjects).toEqual(['70', '7', '17']);
    await page.goto(owner.url('/deliveries'));
    await expect.poll(subjects).toEqual(['70', '7', '17']);
    const field = page.getByRole('searchbox', { name: text.search, exact: true });
    expect(await field.getAttribute('placeholder')).toBe(text.hint);
    await page.keyboard.press('/');
    await page.keyboard.type('7\n');
    await expect.poll(subjects).toEqual(['7']);
    expect(page.url()).toContain('search=7');
    await visitor.expectAccessible();

    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: text.csv }).click();
    const file = (await downloaded(await waiting)).toString();
    const [names, ...lines] = file.trim().split('\r\n');
    expect(names!.split(',')[3]).toBe('"subject"');
    expect(lines.map((line) => line.split(',')[3])).toEqual(['"7"']);

    await page.getByRole('link', { name: 'article.created' }).click();
    await page.getByRole('heading', { level: 1, name: /^article\.created · .7.$/ }).waitFor();
    expect(await page.title()).toContain('7');
    await visitor.expectAccessible();
    await page.getByRole('link', { name: /^msg_/ }).click();
    await page.getByRole('heading', { level: 1, name: /^article\.created · .7.$/ }).waitFor();
    await page.goBack();
    await page.getByRole('link', { name: text.all }).click();
    await expect.poll(subjects).toEqual(['7']);
    expect(await field.inputValue()).toBe('7');

    await field.fill('nothing is about this');
    await field.press('Enter');
    await page.getByText(text.noMatch).waitFor();
    await page.getByRole('button', { name: text.clear }).click();
    await expect.poll(rows).toBe(3);
  });

  it.each([
    ['markup', HTML],
    ['a direction of writing', 'שלום \u202Egnp.exe \u2069 طلب'],
    ['emoji', '👩‍👩‍👧‍👦'.repeat(20)],
    ['a text of 255 characters', 'Donaudampfschiff'.repeat(16).slice(1)],
    ['quotes', `"'\\&#x41;%_`],
  ])('is shown on one line and harmless when it is %s', async (_name, id) => {
    const delivery = await owner.deliver(await owner.endpoint(), { id });
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      for (const list of ['/deliveries', '/operator/deliveries']) {
        await page.goto(owner.url(list));
        const subject = page.locator('tbody .subject').first();
        await subject.waitFor();
        expect(await subject.textContent()).toBe(id);
        expect(await subject.getAttribute('title')).toBe(id);
        expect((await subject.boundingBox())!.height).toBeLessThan(40);
        await visitor.expectNoOverflow();
      }
      await page.goto(owner.url(`/deliveries/${delivery}`));
      await page.getByRole('heading', { level: 1, name: /^article\.created · / }).waitFor();
      await visitor.expectNoOverflow();
      expect(await page.locator('main img, main script').count()).toBe(0);
      expect(await page.title()).toMatch(/^article\.created · \u2068/);
    }
    await visitor.expectAccessible();
    const links = page.locator('.lead a[href*="search="]');
    await links.click();
    await expect.poll(rows).toBeGreaterThan(0);
    expect(await page.locator('tbody .subject').first().textContent()).toBe(id);
  });
});

describe('a search', () => {
  beforeAll(async () => {
    owner = await OwnerPage.start({ operatorApi: { guards: [AnybodyGuard] } });
  }, 180_000);
  afterAll(() => owner.stop());
  beforeEach(async () => {
    visitor = await owner.visit();
    page = visitor.page;
  });
  afterEach(() => visitor.end());

  it('is offered to owners, and not to operators who see no bodies', async () => {
    const id = await owner.deliver(await owner.endpoint(), { id: 'of-a-customer' });
    await page.goto(owner.url('/deliveries'));
    await expect.poll(subjects).toEqual(['of-a-customer']);
    await page.goto(owner.url('/operator/deliveries'));
    await page.getByRole('link', { name: 'article.created' }).waitFor();
    expect(await page.locator('main').textContent()).not.toContain('of-a-customer');
    expect(await page.getByRole('searchbox', { name: 'Search', exact: true }).count()).toBe(0);
    await page.goto(owner.url(`/operator/deliveries/${id}`));
    await page.getByRole('heading', { level: 1, name: 'article.created', exact: true }).waitFor();
    expect(await page.locator('main').textContent()).not.toContain('of-a-customer');
  });

  it('goes on through a long log, and says how far it has come', async () => {
    const id = await owner.endpoint();
    const database = owner.api.app.get(DataSource);
    const query = (sql: string) => database.query<Record<string, unknown>[]>(sql);
    await seedLog({ rows: query }, 'memory', 200_000);
    await query(`UPDATE thorn_deliveries SET subscriber_id = '${id.slice(4)}'`);
    // So much that no machine goes through it in the requests that the page makes by itself.
    await query(
      `UPDATE thorn_deliveries SET event = CASE WHEN id = (SELECT MIN(id) FROM thorn_deliveries) THEN 'a.rare' ELSE 'a.common' END`,
    );
    await page.goto(owner.url('/deliveries?event=a.rare'));
    const partly = page.getByText(/^No results back to .* are not searched yet\.$/);
    await partly.waitFor();
    await visitor.expectAccessible();
    const goOn = page.getByRole('button', { name: 'Continue the search' });
    await expect
      .poll(async () => {
        if ((await goOn.count()) > 0 && (await goOn.isEnabled())) await goOn.click();
        return rows();
      })
      .toBe(1);
    expect(await partly.count()).toBe(0);
  });
});
