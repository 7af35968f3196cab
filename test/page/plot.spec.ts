import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { timePart } from '../../lib/common/id.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import { PageVisitor } from '../support/page-visitor.js';

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
  const endpoint = await owner.endpoint();
  await owner.deliver(endpoint, {});
  owner.receiver.otherwise(500);
  await owner.deliver(endpoint, {});
});
afterEach(() => visitor.end());

const daysAgo = (count: number) => Date.now() - count * 86_400_000;

/** The rows of the list of the time that was picked. */
const listed = () =>
  page
    .locator('section')
    .filter({ has: page.getByRole('heading', { name: /^Created from / }) })
    .locator('table')
    .first()
    .locator('tbody tr');

const reader = () => page.getByRole('slider', { name: 'Attempts by hour' });
const valueText = () => reader().getAttribute('aria-valuetext');

describe('a plot', () => {
  it('has three values on its axis, in letters of one size at every width', async () => {
    for (const width of [1280, 700, 360]) {
      await page.setViewportSize({ width, height: 740 });
      await page.goto(owner.url('/'));
      await page.getByRole('img', { name: 'Attempts by hour' }).waitFor();
      const texts = page.getByRole('img', { name: 'Attempts by hour' }).locator('text');
      expect((await texts.allTextContents()).slice(0, 3)).toEqual(['0', '1', '2']);
      const heights = await texts.evaluateAll((all) =>
        all.map((one) => Math.round(one.getBoundingClientRect().height)),
      );
      expect(new Set(heights).size).toBe(1);
      expect(heights[0]).toBeGreaterThanOrEqual(12);
      await visitor.expectNoOverflow();
    }
    await visitor.expectAccessible();
  });

  it('tells values by keys, and lists the deliveries of a time that is picked by keys', async () => {
    await page.goto(owner.url('/'));
    await reader().focus();
    const first = await valueText();
    await page.keyboard.press('Home');
    const oldest = await valueText();
    expect(oldest).not.toBe(first);
    expect(oldest).toMatch(/: Succeeded 0, Failed 0$/);
    await page.keyboard.press('End');
    expect(await valueText()).toBe(first);
    await visitor.expectAccessible();
    await page.keyboard.press('Shift+ArrowLeft');
    expect(await valueText()).toMatch(/ – /);
    await page.keyboard.press('Escape');
    expect(await valueText()).toMatch(/: Succeeded/);
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Created from / }).waitFor();
    await visitor.expectAccessible();
    await page.getByRole('link', { name: 'Filter these deliveries' }).click();
    await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
    const query = new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
    expect(query.get('time')).toBe('range');
    const length = Date.parse(query.get('to')!) - Date.parse(query.get('from')!);
    expect(length % 3_600_000).toBe(0);
    expect(length).toBeGreaterThan(0);
  });

  it('tells values under the pointer, and lists the deliveries of a time that is dragged', async () => {
    await page.goto(owner.url('/'));
    const { x, y, width, height } = (await reader().boundingBox())!;
    const middle = y + height / 2;
    await page.mouse.move(x + width / 2, middle);
    await page.locator('.plot-values').getByText('Succeeded').waitFor();
    await page.locator('.plot-values').getByText('Drag to list').waitFor();
    await page.mouse.move(x, y - 40);
    expect(await page.locator('.plot-values').count()).toBe(0);
    const hint = page.getByText(/^Drag across the chart/);
    expect((await hint.boundingBox())!.height).toBe(1);
    await page.mouse.move(x + width / 2, middle);
    await page.mouse.down();
    await page.mouse.move(x + width - 2, middle, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => listed().count()).toBe(2);
    await page.getByRole('button', { name: 'Close' }).click();
    await listed().first().waitFor({ state: 'detached' });
  });

  it('counts attempts when they began, and lists deliveries by the time of their creation', async () => {
    const [endpoint] = (await owner.api.subscribers.list({}, 'any')).items;
    // Ids begin with the time of creation.
    await owner.api.app
      .get(DataSource)
      .query('UPDATE thorn_deliveries SET id = ? || substr(id, 14)', [timePart(daysAgo(2))]);
    await page.goto(owner.url(`/endpoints/${endpoint!.id}`));
    const days = page.getByRole('slider', { name: 'Attempts by day' });
    await days.focus();
    await page.keyboard.press('End');
    expect(await days.getAttribute('aria-valuetext')).toMatch(/Succeeded 1, Failed 1$/);
    await page.keyboard.press('Enter');
    await page.getByText('No results').waitFor();
    await days.focus();
    for (let step = 0; step < 2; step += 1) await page.keyboard.press('ArrowLeft');
    expect(await days.getAttribute('aria-valuetext')).toMatch(/Succeeded 0, Failed 0$/);
    await page.keyboard.press('Enter');
    await expect.poll(() => listed().count()).toBe(2);
    await visitor.expectAccessible();
  });

  it('does not take hours that were not counted for hours without attempts', async () => {
    await page.route('**/hooks/overview', async (route) => {
      const response = await route.fetch();
      const answer = await response.json();
      const { items } = answer.figures;
      for (const one of items.slice(0, 4)) one.isComplete = false;
      answer.figures.countedSince = items[4].at;
      await route.fulfill({ response, json: answer });
    });
    await page.goto(owner.url('/'));
    await reader().focus();
    await page.keyboard.press('Home');
    expect(await valueText()).toMatch(/: No data$/);
    for (let step = 0; step < 4; step += 1) await page.keyboard.press('ArrowRight');
    expect(await valueText()).toMatch(/: Succeeded 0, Failed 0$/);
    const drawn = page.getByRole('img', { name: 'Attempts by hour' });
    expect(await drawn.getByText('No data').count()).toBe(1);
    await visitor.expectAccessible();
  });
});

describe('a plot on a touch screen', () => {
  let touch: PageVisitor;
  beforeEach(async () => {
    touch = await PageVisitor.start(owner.browser, {
      hasTouch: true,
      viewport: { width: 360, height: 480 },
    });
    page = touch.page;
    await page.goto(owner.url('/'));
    await reader().scrollIntoViewIfNeeded();
  });
  afterEach(() => touch.end());

  /** Moves a finger from the middle of the plot, by so many pixels. */
  async function swipe(right: number, down: number): Promise<void> {
    const { x, y, width, height } = (await reader().boundingBox())!;
    const [startX, startY] = [x + width * 0.3, y + height / 2];
    const session = await touch.context.newCDPSession(page);
    const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', part = 0) =>
      session.send('Input.dispatchTouchEvent', {
        type,
        touchPoints:
          type === 'touchEnd' ? [] : [{ x: startX + right * part, y: startY + down * part }],
      });
    await send('touchStart');
    for (let step = 1; step <= 10; step += 1) await send('touchMove', step / 10);
    await send('touchEnd');
    await session.detach();
  }
  const scrolled = () => page.evaluate<number>('scrollY');

  it('shows values where it is tapped', async () => {
    const { x, y, width, height } = (await reader().boundingBox())!;
    await page.touchscreen.tap(x + width / 2, y + height / 2);
    await page.locator('.plot-values').getByText('Succeeded').waitFor();
    expect(await listed().count()).toBe(0);
    await touch.expectNoOverflow();
  });

  it('lists the deliveries of a time along which a finger moves', async () => {
    const before = await scrolled();
    const { width } = (await reader().boundingBox())!;
    await swipe(width * 0.7 - 4, 0);
    await expect.poll(() => listed().count()).toBe(2);
    expect(await scrolled()).toBe(before);
    await touch.expectNoOverflow();
  });

  it('lets a finger that moves up scroll the page', async () => {
    const before = await scrolled();
    await swipe(10, -150);
    await expect.poll(scrolled).toBeGreaterThan(before + 50);
    expect(await page.getByRole('heading', { name: /^Created from / }).count()).toBe(0);
  });
});
