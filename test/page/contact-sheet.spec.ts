import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { de } from '../../page/text/de.js';
import { en } from '../../page/text/en.js';
import { openChromium } from '../support/open-chromium.js';
import { startSeededBlog } from '../support/apps/seeded-blog.js';
import { PAGE_SCREENS, type PageScreen } from '../support/pictured-screens.js';
import { PageVisitor } from '../support/page-visitor.js';

/** `npm run screenshots` writes each screen in each form; without it, the form with the least room is looked at. */
const isWriting = process.env['THORN_SCREENSHOTS'] === 'write';
const FOLDER = '.cache/contact-sheet';
const NOW = Date.parse('2026-03-12T15:04:00Z');
const TEXTS = { en, de };

interface Form {
  readonly width: 360 | 1280;
  readonly theme: 'light' | 'dark';
  readonly language: keyof typeof TEXTS;
}
const NARROWEST: Form = { width: 360, theme: 'light', language: 'de' };
const FORMS: readonly Form[] = isWriting
  ? ([1280, 360] as const).flatMap((width) =>
      (['light', 'dark'] as const).flatMap((theme) =>
        (['en', 'de'] as const).map((language) => ({ width, theme, language })),
      ),
    )
  : [NARROWEST];
const nameOf = ({ width, theme, language }: Form) => `${width} ${theme} ${language}`;
const fileOf = (screen: PageScreen, form: Form) =>
  `${screen.name} ${nameOf(form)}`.replaceAll(/\W+/g, '-');

let browser: Browser;
let blog: Awaited<ReturnType<typeof startSeededBlog>>;

beforeAll(async () => {
  browser = await openChromium();
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  blog = await startSeededBlog(true);
  if (!isWriting) return;
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/index.html`, sheet());
}, 180_000);
afterAll(async () => {
  await browser.close();
  await blog.stop();
  vi.useRealTimers();
});

/** Goes to a screen, and waits until all of it is there. */
async function show(page: Page, screen: PageScreen, language: Form['language']): Promise<void> {
  let open = 0;
  page.on('request', () => (open += 1));
  page.on('requestfinished', () => (open -= 1));
  page.on('requestfailed', () => (open -= 1));
  await page.clock.setFixedTime(NOW);
  await page.goto(
    `${blog.url}/${screen.user === 'nobody' ? 'webhooks/' : `sign-in/${screen.user}`}`,
  );
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate(`location.hash = '#${screen.path}'`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await screen.show?.(page, TEXTS[language]);
  await expect.poll(() => page.locator('.loading:visible').count()).toBe(0);
  await expect.poll(() => open).toBe(0);
  await page.evaluate('scrollTo(0, 0)');
  await page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
  );
}

describe.each(FORMS)('$width px, $theme, $language', (form) => {
  it.each(PAGE_SCREENS)('$name breaks no word and stays within the page', async (screen) => {
    const visitor = await PageVisitor.start(browser, {
      viewport: { width: form.width, height: form.width === 360 ? 740 : 900 },
      colorScheme: form.theme,
      locale: form.language === 'de' ? 'de-DE' : 'en-GB',
      timezoneId: 'UTC',
    });
    const { page } = visitor;
    await show(page, screen, form.language);
    if (isWriting) {
      await page.screenshot({
        path: `${FOLDER}/${fileOf(screen, form)}.png`,
        ...{ fullPage: true, animations: 'disabled', caret: 'hide' },
      });
    }
    expect(await page.evaluate<string[]>(BROKEN_WORDS)).toEqual([]);
    await visitor.expectNoOverflow();
    await visitor.end();
  });
});

describe('lists', () => {
  let visitor: PageVisitor;
  let page: Page;
  afterEach(() => visitor.end());

  const open = async (
    user: PageScreen['user'],
    path: string,
    { width, language = 'en' }: { width: number; language?: Form['language'] },
  ) => {
    visitor = await PageVisitor.start(browser, {
      viewport: { width, height: 900 },
      locale: language === 'de' ? 'de-DE' : 'en-US',
      timezoneId: 'UTC',
    });
    page = visitor.page;
    await show(page, { name: path, user, path }, language);
    await page.locator('tbody tr:visible').first().waitFor();
  };
  const row = (text: string) => page.locator('tbody tr').filter({ hasText: text }).first();

  it.each(
    [768, 900, 1024, 1180, 1181, 1240, 1290, 1440].flatMap((width) =>
      (['en', 'de'] as const).map((language) => ({ width, language })),
    ),
  )(
    'of endpoints show operators all columns, and whole names, at $width px, $language',
    async (form) => {
      await open('operator', '/operator/endpoints', form);
      await visitor.expectNoOverflow();
      // Below that, two lines are not enough for each name beside seven columns.
      const cut = form.width < 1180 ? [] : await page.evaluate<string[]>(CUT_NAMES);
      expect(cut).toEqual([]);
    },
  );

  it('keep a number apart from the column after it', async () => {
    for (const width of [768, 1180, 1440]) {
      await open('alice', '/', { width });
      const figures = row('Search index').getByText('3 of 334 attempts failed');
      const time = row('Search index').locator('time');
      const [one, other] = [(await figures.boundingBox())!, (await time.boundingBox())!];
      expect(other.x - one.x - one.width).toBeGreaterThanOrEqual(16);
      if (width !== 1440) await visitor.end();
    }
  });

  it.each([
    ['en', 'every attempt since 2:52 PM'],
    ['de', 'jeder Versuch seit 14:52'],
  ] as const)(
    'say what has failed since then, and of how many in a day: %s',
    async (language, text) => {
      await open('alice', '/', { width: 1280, language });
      await expect.poll(() => row('Partner site').getByText(text, { exact: true }).count()).toBe(1);
    },
  );

  it('show two events of an endpoint and the number of the others, each on a line', async () => {
    await open('alice', '/endpoints', { width: 1180 });
    const events = row('Partner site').locator('td.wide');
    expect(await events.textContent()).toBe('article.publishedarticle.changed+1');
    for (const tag of await events.locator('.tag').all()) {
      expect((await tag.boundingBox())!.height).toBeLessThan(24);
    }
  });

  it.each(['en', 'de'] as const)(
    'of deliveries begin below one row of filters: %s',
    async (language) => {
      await open('alice', '/deliveries', { width: 1180, language });
      const { search, status, filters } = TEXTS[language];
      const parts = [
        page.getByLabel(search, { exact: true }),
        page.getByRole('group', { name: status }),
        page.getByRole('button', { name: filters, exact: true }),
      ];
      const ends = await Promise.all(
        parts.map(async (one) => {
          const { y, height } = (await one.boundingBox())!;
          return y + height;
        }),
      );
      expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan(8);
      expect(await page.getByRole('search').getByRole('combobox').count()).toBe(0);
    },
  );

  it('of deliveries are less than 4,000 px high for a page of a phone', async () => {
    for (const [user, path] of [
      ['alice', '/deliveries'],
      ['operator', '/operator/deliveries'],
    ] as const) {
      await open(user, path, { width: 390 });
      expect(await page.locator('tbody tr').count()).toBe(50);
      const height = await page.evaluate<number>('document.documentElement.scrollHeight');
      expect(height).toBeLessThanOrEqual(4000);
      await visitor.expectNoOverflow();
      await visitor.expectAccessible();
      if (user === 'alice') await visitor.end();
    }
  });

  it('of deliveries that all wait are no higher', async () => {
    await open('alice', '/deliveries', { width: 390, language: 'de' });
    const waiting = { status: 'pending', statusClass: '5xx', pause: null, blocked: false };
    const nextAt = new Date(NOW + 7_200_000).toISOString();
    await page.route(/\/deliveries\?/, async (route) => {
      const response = await route.fetch();
      const body = (await response.json()) as { items: object[] };
      const items = body.items.map((one) => ({ ...one, ...waiting, nextAt }));
      await route.fulfill({ response, json: { ...body, items } });
    });
    await page.reload();
    await expect.poll(() => page.locator('tbody td small:visible').count()).toBe(50);
    const height = await page.evaluate<number>('document.documentElement.scrollHeight');
    expect(height).toBeLessThanOrEqual(4000);
    await visitor.expectNoOverflow();
  });

  it.each(['en', 'de'] as const)('of deliveries begin at times of today: %s', async (language) => {
    await open('alice', '/deliveries', { width: 1280, language });
    const { filters, time, today, sinceNoon } = TEXTS[language];
    await page.getByRole('button', { name: filters, exact: true }).click();
    for (const [name, since] of [
      [today, '2026-03-12T00:00:00.000Z'],
      [sinceNoon, '2026-03-12T12:00:00.000Z'],
    ] as const) {
      const asked = page.waitForRequest(
        (one) => new URL(one.url()).searchParams.get('since') === since,
      );
      await page.getByRole('combobox', { name: time }).selectOption({ label: name });
      await asked;
    }
    await page.reload();
    await page.locator('tbody tr').first().waitFor();
    const field = page.getByRole('combobox', { name: time });
    expect(await field.locator('option:checked').textContent()).toBe(sinceNoon);
  });

  it.each(['alice', 'operator'] as const)(
    'lead a phone of %s to an endpoint whose actions are above everything else',
    async (user) => {
      await open(user, user === 'alice' ? '/endpoints' : '/operator/endpoints', { width: 390 });
      await row('Partner site').getByRole('link').first().click();
      await page.getByRole('heading', { name: 'Recent deliveries' }).waitFor();
      const actions = [
        en.recover,
        en.backfill,
        ...(user === 'alice' ? [en.rotate, en.remove] : []),
      ];
      const head = page.locator('.screen-head');
      for (const name of actions) {
        const { y } = (await head.getByRole('button', { name, exact: true }).boundingBox())!;
        expect(y, name).toBeLessThan(600);
      }
      await visitor.expectNoOverflow();
      await visitor.expectAccessible();
    },
  );

  it('name endpoints that fail for operators by their description', async () => {
    await open('operator', '/operator', { width: 1280 });
    const failing = page.getByRole('table', { name: 'Failing endpoints' });
    const name = failing.getByRole('link', { name: 'Partner site, down since yesterday' });
    expect(await name.count()).toBe(1);
  });
});

/** The names of endpoints of which a part is not seen. */
const CUT_NAMES = `[...document.querySelectorAll('.endpoint-name .lines')]
  .filter((one) => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth)
  .map((one) => one.textContent)`;

/** Words that begin on one line and end on the next. Codes, URLs and ids have no words. */
const BROKEN_WORDS = `(() => {
  const broken = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement, data } = texts.currentNode;
    if (parentElement.closest('.mono, pre, code, .json, .off-screen')) continue;
    for (const { 0: word, index } of data.matchAll(/[\\p{L}\\d]+/gu)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      const tops = [...range.getClientRects()].map(({ top }) => Math.round(top));
      if (new Set(tops).size > 1) broken.push(word + ' in "' + data.trim() + '"');
    }
  }
  return broken;
})()`;

/** A page of the browser with all pictures: a row for each screen. */
function sheet(): string {
  const rows = PAGE_SCREENS.map((screen) => {
    const cells = FORMS.map(
      (form) => `<td><img loading="lazy" src="${fileOf(screen, form)}.png" alt=""></td>`,
    );
    return `<tr><th>${screen.name}</th>${cells.join('')}</tr>`;
  });
  const heads = FORMS.map((form) => `<th>${nameOf(form)}</th>`);
  return `<!doctype html><title>Contact sheet</title>
<style>
  body { font: 14px system-ui; background: #777; color: #fff }
  th { position: sticky; left: 0; text-align: left; vertical-align: top }
  td { vertical-align: top; padding: 8px }
  img { width: auto; max-width: 640px }
</style>
<table><tr><th></th>${heads.join('')}</tr>${rows.join('\n')}</table>`;
}
