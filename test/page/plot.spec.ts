import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';

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
    await page.mouse.move(x, y - 40);
    expect(await page.locator('.plot-values').count()).toBe(0);
    await page.mouse.move(x + width / 2, middle);
    await page.mouse.down();
    await page.mouse.move(x + width - 2, middle, { steps: 5 });
    await page.mouse.up();
    await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2);
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
