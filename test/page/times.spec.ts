import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Clock } from '../../lib/common/index.js';
import { MovableClock } from '../../lib/testing/index.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import { PageVisitor } from '../support/page-visitor.js';

const MINUTE = 60_000;
/** Ends at this time of a day that is not over, so that one time is today's in each time zone of the tests. */
const NOW = Date.parse('2026-03-12T15:04:00Z');

let owner: OwnerPage;

beforeAll(async () => {
  owner = await OwnerPage.start({ clock: MovableClock });
  const clock = owner.api.app.get<MovableClock>(Clock);
  const id = await owner.endpoint();
  for (const minutes of [500 * 1440, 1440, 150, 30]) {
    clock.set(NOW - minutes * MINUTE);
    await owner.deliver(id, {});
  }
}, 180_000);
afterAll(() => owner.stop());

describe('the times of a list', () => {
  it.each([
    ['en-US', ['30 min. ago', '12:34 PM', 'Mar 11, 3:04 PM', 'Oct 28, 2024, 3:04 PM']],
    ['de-DE', ['vor 30 Min.', '12:34', '11. März, 15:04', '28. Okt. 2024, 15:04']],
  ])('are relative for an hour, and then those of a clock: %s', async (locale, expected) => {
    const visitor = await PageVisitor.start(owner.browser, { locale, timezoneId: 'UTC' });
    const { page } = visitor;
    // The page goes by the clock of the server, whose answers have the time of this machine.
    await page.route('**/hooks/**', async (route) => {
      const response = await route.fetch();
      await route.fulfill({
        response,
        headers: { ...response.headers(), date: new Date(NOW).toUTCString() },
      });
    });
    await page.goto(owner.url('/deliveries'));
    await expect.poll(() => page.locator('tbody time').allTextContents()).toEqual(expected);
    await page.locator('tbody time').last().hover();
    expect(await page.locator('tbody time').last().getAttribute('title')).toContain('2024');
    await visitor.end();
  });
});
