import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { de } from '../../page/text/de.js';
import { en } from '../../page/text/en.js';
import { openChromium } from '../support/open-chromium.js';
import { startSeededBlog } from '../support/apps/seeded-blog.js';
import { PageVisitor } from '../support/page-visitor.js';

/** Texts of the page in English that are others in German. Short ones may be a part of anything. */
const ENGLISH = differentTexts(en, de).filter((text) => text.length > 9);
const LONG = `https://${'long'.repeat(14)}.example.com/${'path'.repeat(40)}`;
const OWNER = [
  ...['/', '/?by=day', '/endpoints', '/endpoints/new', '/deliveries', '/deliveries?status=failed'],
  ...['/deliveries?time=range&event=nothing', '/events', '/events/article.published', '/nowhere'],
];
/** Those that no other test looks at in German. */
const ACCESSIBLE = new Set(['/deliveries', '/endpoints/new', '/events/article.published']);
const DIALOGS = [
  'Bearbeiten',
  'Secret erneuern',
  'Verpasste Ereignisse senden',
  'Abschalten',
  'Löschen',
];
const OPERATOR = [
  ...['/operator', '/operator/endpoints', '/operator/deliveries', '/operator/maintenance'],
];

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
  visitor = await PageVisitor.start(browser, {
    locale: 'de-DE',
    viewport: { width: 320, height: 640 },
  });
});
afterEach(() => visitor.end());

const signIn = async (user: string) => {
  await visitor.page.goto(`${blog.url}/sign-in/${user}`);
  await visitor.page.getByRole('heading', { level: 1 }).waitFor();
};
const show = async (path: string) => {
  await visitor.page.evaluate(`location.hash = '#${path}'`);
  await visitor.page.getByText('Wird geladen').first().waitFor({ state: 'detached' });
  await visitor.page.getByRole('heading', { level: 1 }).waitFor();
};
const call = async (method: string, path: string, body?: object) =>
  visitor.page.evaluate<{ id: string }>(
    `fetch('/hooks${path}', {
      method: '${method}',
      headers: { 'content-type': 'application/json' },
      body: ${JSON.stringify(JSON.stringify(body))},
    }).then((response) => response.json())`,
  );

/** What is in English, or reaches beyond the right edge. */
async function expectGermanAndNarrow(): Promise<void> {
  const [text, wide] = await visitor.page.evaluate<[string, string[]]>(`[
    document.body.innerText,
    [...document.querySelectorAll('html, dialog[open], .form, table, dl')]
      .filter((one) => one.scrollWidth > one.clientWidth + 1)
      .flatMap((one) => [one, ...one.querySelectorAll('*')])
      .filter((one) => one.getBoundingClientRect().right > innerWidth && !one.closest('thead'))
      .map((one) => location.hash + ' ' + one.outerHTML.slice(0, 120)),
  ]`);
  expect(ENGLISH.filter((one) => text.includes(one))).toEqual([]);
  expect(wide).toEqual([]);
}

describe('the page in German, 320 px wide', () => {
  it('is shown to owners on every screen', async () => {
    await signIn('alice');
    const { page } = visitor;
    const { id } = await call('POST', '', { url: LONG, events: ['article.*'] });
    for (const path of [...OWNER, `/endpoints/${id}`]) {
      await show(path);
      await expectGermanAndNarrow();
      if (ACCESSIBLE.has(path)) await visitor.expectAccessible();
    }
    for (const name of DIALOGS) {
      await page.getByRole('button', { name }).click();
      await page.getByRole('dialog').waitFor();
      await expectGermanAndNarrow();
      await page.getByRole('button', { name: 'Abbrechen' }).click();
    }
    await show('/deliveries?status=failed');
    await page.locator('tbody a').first().click();
    await page.getByRole('heading', { name: 'Versuch 1' }).waitFor();
    await expectGermanAndNarrow();
    await visitor.expectAccessible();
    await page.getByRole('button', { name: 'Warum passt meine Signatur nicht?' }).click();
    await expectGermanAndNarrow();
  });

  it('is shown to operators on every screen', async () => {
    await signIn('operator');
    const { page } = visitor;
    for (const path of OPERATOR) {
      await show(path);
      await expectGermanAndNarrow();
    }
    await show('/operator/endpoints');
    await page.locator('tbody a').first().click();
    await page.getByRole('heading', { name: de.settings }).waitFor();
    await expectGermanAndNarrow();
    for (const name of ['Verpasste Ereignisse senden', 'Fehlgeschlagene erneut senden']) {
      await page.getByRole('button', { name }).click();
      await page.getByRole('dialog').waitFor();
      await expectGermanAndNarrow();
      await page.getByRole('button', { name: 'Abbrechen' }).click();
    }
    await show('/operator/deliveries?status=failed');
    await page.locator('tbody a').first().click();
    await page.getByRole('heading', { name: 'Versuch 1' }).waitFor();
    await expectGermanAndNarrow();
  });

  it('says in German what the API refuses', async () => {
    await signIn('alice');
    const { page } = visitor;
    await show('/endpoints/new');
    await page.getByLabel('URL').fill('http://10.0.0.1/');
    await page.getByRole('checkbox', { name: 'article.published' }).check();
    await page.locator('summary', { hasText: 'Erweitert' }).click();
    await page.getByLabel('Ereignisse auslassen').fill('art*');
    await page.getByRole('button', { name: 'Endpunkt anlegen' }).click();
    await page.getByText('An diese Adresse können keine Webhooks gesendet werden.').waitFor();
    await page.getByText('Namen von Ereignissen oder Muster wie article.*').waitFor();
    await expectGermanAndNarrow();
    expect(await page.getByText(/private address|recipients|must be/).count()).toBe(0);
  });
});

/** The texts of one dictionary that differ from those of another. */
function differentTexts(one: object, other: object): string[] {
  return Object.entries(one).flatMap(([key, text]: [string, unknown]) => {
    const translated: unknown = other[key as keyof typeof other];
    if (typeof text === 'string') return text === translated ? [] : [text];
    return typeof text === 'object' && text !== null
      ? differentTexts(text, translated as object)
      : [];
  });
}
