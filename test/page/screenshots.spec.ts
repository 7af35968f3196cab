import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openChromium } from '../support/open-chromium.js';
import { startSeededBlog } from '../support/apps/seeded-blog.js';
import { PageVisitor } from '../support/page-visitor.js';
import { asWebp, differenceOf } from '../support/pictures.js';

/** `npm run screenshots` writes the pictures; without it they are compared with what the page looks like. */
const isWriting = process.env['THORN_SCREENSHOTS'] === 'write';
const FOLDER = 'docs/images';
const NOW = Date.parse('2026-03-12T15:04:00Z');
const MOST_BYTES = 150_000;
/** Pixels of the picture for one of the page: letters stay sharp on the screens of today. */
const SCALE = 2;
/**
 * The part of a picture that may differ: nothing does on one machine, 1 to 3 % with other fonts. Those change every letter,
 * but not where the boxes are.
 */
const MOST_DIFFERENT = 0.04;

interface Picture {
  readonly user?: 'operator';
  readonly dark?: true;
  readonly size?: readonly [width: number, height: number];
  /** Goes to the screen. */
  readonly show: (page: Page) => Promise<void>;
}

const goTo = async (page: Page, path: string) => {
  await page.evaluate(`location.hash = '#${path}'`);
};
const OVERVIEW: Picture = {
  size: [1120, 1000],
  show: async (page) => {
    await goTo(page, '/');
    await page.getByRole('img').first().waitFor();
    await page.getByText('search.example.com').first().waitFor();
  },
};
const PICTURES: Readonly<Record<string, Picture>> = {
  overview: OVERVIEW,
  'overview-dark': { ...OVERVIEW, dark: true },
  deliveries: {
    show: async (page) => {
      await goTo(page, '/deliveries');
      await page.locator('tbody').getByText('search.example.com').first().waitFor();
    },
  },
  endpoint: {
    show: async (page) => {
      await goTo(page, '/endpoints');
      await page.getByRole('link', { name: 'Search index' }).click();
      await page.getByRole('img').first().waitFor();
      await page.locator('tbody tr').last().waitFor();
    },
  },
  delivery: {
    dark: true,
    show: async (page) => {
      await goTo(page, '/deliveries?status=pending');
      await page.locator('tbody a').first().click();
      await page.getByRole('heading', { name: 'Attempt 1' }).waitFor();
    },
  },
  'add-endpoint': {
    show: async (page) => {
      await goTo(page, '/endpoints/new');
      await page.getByLabel('URL').fill('https://warehouse.example.com/webhooks');
      await page.getByRole('checkbox', { name: 'article.published' }).check();
    },
  },
  operator: {
    user: 'operator',
    show: async (page) => {
      await goTo(page, '/operator');
      await page.getByText('Failing').first().waitFor();
      await page.getByText('95% answered within').first().waitFor();
      await page.getByRole('img').first().waitFor();
    },
  },
};

let browser: Browser;
let blog: Awaited<ReturnType<typeof startSeededBlog>>;

beforeAll(async () => {
  browser = await openChromium();
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  blog = await startSeededBlog(true);
  mkdirSync(FOLDER, { recursive: true });
}, 180_000);
afterAll(async () => {
  await browser.close();
  await blog.stop();
  vi.useRealTimers();
});

async function take({ user, dark, size = [1120, 700], show }: Picture): Promise<Buffer> {
  const visitor = await PageVisitor.start(browser, {
    viewport: { width: size[0], height: size[1] },
    deviceScaleFactor: SCALE,
    colorScheme: dark === true ? 'dark' : 'light',
    timezoneId: 'UTC',
  });
  const { page } = visitor;
  let open = 0;
  page.on('request', () => (open += 1));
  for (const end of ['requestfinished', 'requestfailed'] as const) {
    page.on(end as 'requestfinished', () => (open -= 1));
  }
  await page.clock.setFixedTime(NOW);
  await page.goto(`${blog.url}/sign-in/${user ?? 'alice'}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await show(page);
  await expect.poll(() => open).toBe(0);
  await page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
  );
  await page.evaluate('document.fonts.ready.then(() => scrollTo(0, 0))');
  const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  await visitor.end();
  return picture;
}

describe('the pictures of the page', () => {
  it.each(Object.keys(PICTURES))('%s looks like the page', async (name) => {
    const file = `${FOLDER}/${name}.webp`;
    const picture = await take(PICTURES[name]!);
    const page = await browser.newPage();
    if (isWriting) writeFileSync(file, await asWebp(page, picture));
    expect(existsSync(file), `${file} is missing: npm run screenshots`).toBe(true);
    const difference = await differenceOf(page, picture, readFileSync(file));
    await page.close();
    expect(difference, `${file} is out of date: npm run screenshots`).toBeLessThan(MOST_DIFFERENT);
  });

  it('are small, and each is shown by a guide', () => {
    const guides = ['README.md', 'docs/page.md'].map((one) => readFileSync(one, 'utf8')).join('\n');
    // Beside the film of the demo.
    const names = readdirSync(FOLDER).filter((name) => name.endsWith('.webp'));
    expect(names.toSorted()).toEqual(
      Object.keys(PICTURES)
        .map((name) => `${name}.webp`)
        .toSorted(),
    );
    for (const name of names) {
      expect(readFileSync(`${FOLDER}/${name}`).length, name).toBeLessThan(MOST_BYTES);
      expect(guides).toContain(`images/${name}`);
    }
  });
});
