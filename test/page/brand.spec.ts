import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PageBrand, thornPage } from '../../lib/page/index.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import { PageVisitor } from '../support/page-visitor.js';

describe('the brand of the page', () => {
  it.each<[string, PageBrand, string | RegExp]>([
    [
      'an accent that nobody can read on white',
      { accent: '#ffd400' },
      /`brand\.accent` of thornPage\(\) has a contrast of 1\.\d:1 .* needs? 4\.5:1\. Give a darker tone, for example '#[0-9a-f]{6}'/,
    ],
    ['an accent that is no colour', { accent: 'red' }, "must be a colour such as '#0b57d0'"],
    ['a font with a URL', { font: 'url(https://elsewhere.example/a.woff2)' }, 'font families'],
    ['a font that closes the rule', { font: 'Inter; } * { color: red' }, 'font families'],
    ['a logo of another host', { logo: 'https://elsewhere.example/logo.png' }, 'path of this host'],
    ['no name', { name: '' }, '`brand.name` of thornPage() must be a text'],
    ['an unknown name', { colour: '#000000' } as PageBrand, 'Unknown option `brand.colour`'],
  ])('is refused at the start: %s', (_case, brand, reason) => {
    expect(() => thornPage({ brand })).toThrow(reason);
  });

  it('takes the tone that the refusal of an accent names', () => {
    for (const accent of ['#ffd400', '#ff0000', '#00ff00', '#ffffff', '#7fb3ff']) {
      const refused = (() => {
        try {
          return thornPage({ brand: { accent } }) && '';
        } catch (error) {
          return String(error);
        }
      })();
      const [, tone] = /'(#[0-9a-f]{6})'/.exec(refused)!;
      expect(() => thornPage({ brand: { accent: tone! } })).not.toThrow();
    }
  });
});

describe('a page with a brand', () => {
  const LOGO =
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/%3E";
  let owner: OwnerPage;
  beforeAll(async () => {
    owner = await OwnerPage.start({
      page: thornPage({
        // As light as an accent may be.
        brand: {
          name: 'Acme',
          logo: LOGO,
          accent: '#b94a00',
          font: "Georgia, 'Some Serif', serif",
        },
      }),
    });
    await owner.deliver(await owner.endpoint(), {});
  }, 180_000);
  afterAll(() => owner.stop());

  it.each(['light', 'dark'] as const)('shows it and is readable, %s', async (colorScheme) => {
    const visitor = await PageVisitor.start(owner.browser, { colorScheme });
    const { page } = visitor;
    for (const path of ['/', '/endpoints', '/endpoints/new', '/deliveries']) {
      await page.goto(owner.url(path));
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle');
      await visitor.expectAccessible();
    }
    expect(await page.title()).toBe('Deliveries · Acme');
    expect(await page.getByRole('link', { name: 'Acme' }).locator('img').getAttribute('src')).toBe(
      LOGO,
    );
    await page.emulateMedia({ colorScheme });
    const found = await page.evaluate<[string, string]>(`(() => {
      const link = getComputedStyle(document.querySelector('td a'));
      return [link.color, link.fontFamily];
    })()`);
    const [color, font] = found;
    expect(font).toBe('Georgia, "Some Serif", serif');
    if (colorScheme === 'light') expect(color).toBe('rgb(185, 74, 0)');
    else expect(color).not.toBe('rgb(185, 74, 0)');
    await visitor.end();
  });
});

describe('the menu where the page is narrow', () => {
  let owner: OwnerPage;
  beforeAll(async () => {
    owner = await OwnerPage.start();
  }, 180_000);
  afterAll(() => owner.stop());

  it('is behind one button, by pointer and by keyboard', async () => {
    const visitor = await PageVisitor.start(owner.browser, {
      viewport: { width: 360, height: 740 },
    });
    const { page } = visitor;
    await page.goto(owner.url('/'));
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const button = page.getByRole('button', { name: 'Menu' });
    const menu = page.getByRole('navigation', { name: 'Menu' });
    expect(await menu.count()).toBe(0);
    // The heading of the screen is within the first quarter of the phone.
    expect((await page.getByRole('heading', { level: 1 }).boundingBox())!.y).toBeLessThan(100);
    await button.click();
    await menu.getByRole('link', { name: 'Deliveries' }).waitFor();
    expect(await button.getAttribute('aria-expanded')).toBe('true');
    await visitor.expectAccessible();
    await visitor.expectNoOverflow();
    await menu.getByRole('link', { name: 'Deliveries' }).click();
    await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
    expect(await menu.count()).toBe(0);

    await button.focus();
    await page.keyboard.press('Enter');
    await visitor.tabTo('Endpoints');
    await page.keyboard.press('Escape');
    expect(await menu.count()).toBe(0);
    await expect
      .poll(() => page.evaluate<string>('document.activeElement.textContent'))
      .toBe('Menu');
    await visitor.end();
  });
});
