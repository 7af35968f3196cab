import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { thornPage } from '../../lib/page/index.js';
import { openChromium } from '../support/open-chromium.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { PageVisitor } from '../support/page-visitor.js';

const FIRST = ['main', 'style'];
const LATER = ['delivery-screens', 'endpoint-screens'];

let browser: Browser;
let anyLanguage: Api;
let german: Api;
let visitor: PageVisitor;

const start = (language?: 'de') =>
  startApi('express', {
    api: { unprotected: true, owner: () => 'alice' },
    thorn: { page: thornPage({ ...(language && { language }) }) },
  });

beforeAll(async () => {
  browser = await openChromium();
  anyLanguage = await start();
  german = await start('de');
}, 180_000);
afterAll(async () => {
  await browser.close();
  await anyLanguage.app.close();
  await german.app.close();
});
afterEach(() => visitor.end());

async function visit(locale: string): Promise<Page> {
  visitor = await PageVisitor.start(browser, { locale });
  return visitor.page;
}

/** The names of the files that a page asks for, from now on. */
function filesOf(page: Page): string[] {
  const names: string[] = [];
  page.on('request', (one) => {
    const name = /\/assets\/([a-z-]+)-[\w-]{8}\./.exec(one.url())?.[1];
    if (name !== undefined) names.push(name);
  });
  return names;
}

describe('the texts', () => {
  it.each([
    ['of the browser', () => anyLanguage, 'de-AT', 'de', 'Übersicht', true],
    ['of the browser', () => anyLanguage, 'en-GB', 'en', 'Overview', true],
    ['of the option', () => german, 'en-GB', 'de', 'Übersicht', true],
    ['in English for another language', () => anyLanguage, 'fr-FR', 'en', 'Overview', false],
  ])(
    'are loaded in one language, that %s',
    async (_name, api, locale, language, title, isEarly) => {
      const page = await visit(locale);
      const files = filesOf(page);

      await page.goto(`${api().url}/webhooks`);
      await page.getByRole('heading', { name: title, level: 1 }).waitFor();
      await expect.poll(() => files.length).toBe(5);

      expect(files.toSorted()).toEqual([...FIRST, ...LATER, language].toSorted());
      expect(await page.locator('html').getAttribute('lang')).toBe(language);
      expect(await page.locator('link[rel=modulepreload]').count()).toBe(isEarly ? 1 : 0);
    },
  );

  it('are loaded in another language when a user chooses it', async () => {
    const page = await visit('en-GB');
    await page.goto(`${anyLanguage.url}/webhooks`);
    const files = filesOf(page);

    await page.getByLabel('Language').selectOption('de');

    await page.getByRole('heading', { name: 'Übersicht', level: 1 }).waitFor();
    expect(files).toContain('de');
    await page.getByLabel('Sprache').selectOption('en');
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  });

  it('are missed with a sentence in both languages', async () => {
    const page = await visit('en-GB');
    await page.route('**/assets/en-*', (route) => route.abort());

    await page.goto(`${anyLanguage.url}/webhooks`);

    const body = page.locator('body');
    await expect
      .poll(() => body.textContent())
      .toContain('The page could not be loaded. Reload it.');
    expect(await body.textContent()).toContain('Die Seite konnte nicht geladen werden.');
  });
});

describe('screens in another file', () => {
  it('are loaded before somebody opens them', async () => {
    const page = await visit('en-GB');
    const files = filesOf(page);
    await page.goto(`${anyLanguage.url}/webhooks#/endpoints`);
    await expect.poll(() => files).toEqual(expect.arrayContaining(LATER));
    files.length = 0;

    await page.getByRole('link', { name: 'Add endpoint' }).click();

    await page.getByRole('heading', { name: 'Add endpoint', level: 1 }).waitFor();
    expect(files).toEqual([]);
  });

  it('ask for a reload after a new version has replaced their file', async () => {
    const page = await visit('en-GB');
    let isReplaced = true;
    await page.route('**/assets/endpoint-screens-*', (route) =>
      isReplaced ? route.fulfill({ status: 404 }) : route.continue(),
    );
    await page.goto(`${anyLanguage.url}/webhooks#/endpoints/new`);

    await page.getByRole('heading', { name: 'This screen could not be loaded' }).waitFor();
    await visitor.expectAccessible();
    isReplaced = false;
    await page.getByRole('button', { name: 'Reload the page' }).click();

    const title = page.getByRole('heading', { level: 1 });
    await expect.poll(() => title.allTextContents()).toEqual(['Add endpoint']);
  });
});
