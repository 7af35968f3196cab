import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OwnerPage } from '../support/apps/owner-page.js';
import { PageVisitor } from '../support/page-visitor.js';

/** What a document may say of all its elements, and of `<thorn-portal>` with them. */
const STYLES = `
  * {
    box-sizing: content-box; padding: 0; margin: 0; color: red; background: pink; direction: rtl;
    font: italic 900 30px/3 serif; letter-spacing: 5px; word-spacing: 9px; text-transform: uppercase;
    text-align: right; text-indent: 20px; white-space: pre; cursor: wait; list-style: square;
    text-shadow: 1px 1px; color-scheme: dark; visibility: hidden;
    --accent: lime; --text: yellow; --ground: blue; --line: red; --faint: yellow; --raised: blue; --mono: serif; --round: 40px;
  }
  :root, body { visibility: visible; display: block; color: black; background: white }
  a { color: lime } button { background: black } td { display: none }`;
const LOOKED_AT = [
  ...['color', 'backgroundColor', 'borderTopColor', 'borderTopWidth', 'borderTopLeftRadius'],
  ...['font', 'letterSpacing', 'wordSpacing', 'textTransform', 'textAlign', 'textIndent'],
  ...['textShadow', 'whiteSpace', 'direction', 'cursor', 'listStyleType', 'visibility'],
  ...[
    'boxSizing',
    'padding',
    'marginLeft',
    'marginRight',
    'marginBottom',
    'display',
    'colorScheme',
  ],
];
const SCREENS = ['/', '/endpoints', '/endpoints/new', '/deliveries', '/events/article.created'];

let owner: OwnerPage;
let endpoint: string;
beforeAll(async () => {
  owner = await OwnerPage.start();
  endpoint = await owner.endpoint();
  await owner.deliver(endpoint, {});
}, 180_000);
afterAll(() => owner.stop());

/** The styles of all elements of a screen, by their place in it. */
async function stylesIn(page: Page, place: string): Promise<readonly string[]> {
  await page.waitForLoadState('networkidle');
  await page.locator('.skeleton').first().waitFor({ state: 'detached' });
  return page.evaluate<string[]>(`[...${place}.querySelectorAll('.frame, .frame *')].map((one) => {
    const style = getComputedStyle(one);
    return one.className + ': ' + ${JSON.stringify(LOOKED_AT)}.map((name) => style[name]).join(' | ');
  })`);
}

it.each([
  [1280, 'light'],
  [1280, 'dark'],
  [360, 'light'],
] as const)(
  '<thorn-portal> in a hostile document of %i px, %s, looks as the page does in its own',
  async (width, colorScheme) => {
    const options = { viewport: { width, height: 800 }, colorScheme };
    for (const path of [...SCREENS, `/endpoints/${endpoint}`]) {
      const own = await PageVisitor.start(owner.browser, options);
      const embedded = await PageVisitor.start(owner.browser, options);
      await embedded.page.route('**/host', (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: `<!doctype html><html lang="en"><title>The host</title><style>${STYLES}</style><thorn-portal path="${path}"></thorn-portal>
            <script type="module" src="/webhooks/element.js"></script></html>`,
        }),
      );
      await own.page.goto(owner.url(path));
      await embedded.page.goto(`${owner.api.url}/host`);
      for (const { page } of [own, embedded]) {
        await page.getByRole('heading', { level: 1 }).waitFor();
      }
      const there = 'document.querySelector("thorn-portal").shadowRoot';
      expect(await stylesIn(embedded.page, there)).toEqual(await stylesIn(own.page, 'document'));
      await embedded.expectNoOverflow();
      await own.end();
      await embedded.end();
    }
  },
);
