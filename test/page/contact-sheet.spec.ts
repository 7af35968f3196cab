import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
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
