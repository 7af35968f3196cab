import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SubscriberRepository } from '../../lib/extending/index.js';
import { filterOf, rowsOf } from '../../page/core/filter-rows.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';

describe('a filter', () => {
  it.each([
    { total: { gt: 100 } },
    { customer: { country: { in: ['AT', 'CH, LI', 'with "quotes"', 5] } } },
    { AND: [{ a: { eq: '5' } }, { b: { ne: true } }, { c: { isNot: null } }] },
    { OR: [{ title: { startsWith: ' x' } }, { title: { is: null } }, { a: { eq: '' } }] },
    { price: { eq: '"' } },
    null,
  ])('is the same after it was written as conditions: %j', (filter) => {
    expect(filterOf(rowsOf(filter)!)).toEqual(filter);
  });

  it('takes bare values and fields beside each other for what they mean', () => {
    expect(filterOf(rowsOf({ state: 'OPEN', total: { gte: 5 }, removed: null })!)).toEqual({
      AND: [{ state: { eq: 'OPEN' } }, { total: { gte: 5 } }, { removed: { is: null } }],
    });
  });

  it.each([
    { tags: { name: 'a', hot: true } },
    { total: { gt: 1, lt: 5 } },
    { NOT: { a: 1 } },
    { a: { OR: [{ eq: 1 }] } },
    { a: { truthy: true } },
    { at: { gt: { $date: '2026-01-31T12:00:00.000Z' } } },
    { list: { eq: [1] } },
    { 'a.b': 1 },
    { list: [] },
    5,
  ])('stays JSON where conditions would mean something else: %j', (filter) => {
    expect(rowsOf(filter)).toBeNull();
  });
});

/** Opens the fields that few endpoints have, unless one of them is set and they are open. */
async function openAdvanced(page: Page, name = 'Advanced'): Promise<void> {
  const advanced = page.locator('details.advanced');
  if ((await advanced.getAttribute('open')) === null) {
    await advanced.locator('summary', { hasText: name }).first().click();
  }
}

describe('the form of an endpoint', () => {
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
  });
  afterEach(() => visitor.end());

  it('builds a filter of conditions and tries it on the latest events', async () => {
    const id = await owner.endpoint();
    for (const title of ['Hello', 'Hello again', 'Bye']) await owner.deliver(id, { title });
    await page.goto(owner.url(`/endpoints/${id}`));
    await page.getByRole('button', { name: 'Edit' }).click();
    await openAdvanced(page);
    await page.getByRole('button', { name: 'Add condition' }).click();
    const first = page.getByRole('group', { name: 'Condition 1' });
    await first.getByLabel('Field').fill('title');
    // Names of fields come from the schemas of the events.
    await expect
      .poll(() =>
        page
          .locator('#field-names option')
          .evaluateAll((all) => all.map((one) => one.getAttribute('value'))),
      )
      .toContain('title');
    await first.getByLabel('Comparison').selectOption('begins with');
    await first.getByLabel('Value').fill('Hello');
    await page.getByRole('button', { name: 'Test with the latest events' }).click();
    await page.getByText('2 of the latest 3 events would be sent.').waitFor();
    await page.getByText('Tested events').first().click();
    await page.getByText('Not sent', { exact: true }).first().waitFor();
    await visitor.expectAccessible();

    await page.getByRole('button', { name: 'Add condition' }).click();
    const second = page.getByRole('group', { name: 'Condition 2' });
    await second.getByLabel('Field').fill('title');
    await second.getByLabel('Comparison').selectOption('is');
    await second.getByLabel('Value').fill('Bye');
    expect(await page.getByText('would be sent').count()).toBe(0);
    await page.getByLabel('Send when').selectOption('at least one condition holds');
    await page.getByRole('button', { name: 'Test with the latest events' }).click();
    await page.getByText('3 of the latest 3 events would be sent.').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const filter = { OR: [{ title: { startsWith: 'Hello' } }, { title: { eq: 'Bye' } }] };
    expect((await owner.api.subscribers.findById(id, 'any'))!.filter).toEqual(filter);
  });

  it('keeps a filter that conditions cannot say, and says what the API refuses', async () => {
    const id = await owner.endpoint();
    const filter = { NOT: { title: 'a' } };
    await owner.api.subscribers.update(id, { filter }, 'any');
    await page.goto(owner.url(`/endpoints/${id}`));
    await page.getByRole('button', { name: 'Edit' }).click();
    const text = page.getByLabel('Filter as JSON');
    expect(JSON.parse(await text.inputValue())).toEqual(filter);
    await page.getByRole('button', { name: 'Edit as conditions' }).click();
    await page.getByText('This filter cannot be shown as conditions').waitFor();
    await text.fill('{"title": {"nowEq": 1}}');
    await page.getByRole('button', { name: 'Test with the latest events' }).click();
    await page.getByRole('alert').getByText('nowEq').waitFor();
    await text.fill('{');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This is not JSON.').waitFor();
    await visitor.expectAccessible();
    expect((await owner.api.subscribers.findById(id, 'any'))!.filter).toEqual(filter);
  });

  it('sets a rate limit, says why one is refused, and takes it away again', async () => {
    const id = await owner.endpoint();
    const limit = async () => (await owner.api.subscribers.findById(id, 'any'))!.rateLimit;
    await page.goto(owner.url(`/endpoints/${id}`));
    const save = async (max: string) => {
      await page.getByRole('button', { name: 'Edit' }).click();
      await openAdvanced(page);
      await page.getByLabel('Rate limit').fill(max);
      await page.getByRole('button', { name: 'Save' }).click();
    };
    await save('many');
    await page.getByText('Enter a whole number from 1 to 1,000,000.').waitFor();
    await page.getByLabel('Rate limit').fill('30');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('30 in 60 s').waitFor();
    expect(await limit()).toEqual({ max: 30, per: 60_000 });
    await save('');
    await page.getByText('30 in 60 s').waitFor({ state: 'detached' });
    expect(await limit()).toBeNull();
  });

  it('leaves events out, tries that on the latest events, and says which pattern is refused', async () => {
    const id = await owner.endpoint();
    await owner.deliver(id, { title: 'Hello' });
    const excluded = async () => (await owner.api.subscribers.findById(id, 'any'))!.exclude;
    await page.goto(owner.url(`/endpoints/${id}`));
    await page.getByRole('button', { name: 'Edit' }).click();
    await openAdvanced(page);
    const field = page.getByLabel('Events to leave out');
    await field.fill('art*');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Names of events, or patterns such as article.*').waitFor();
    await visitor.expectAccessible();
    await field.fill(' article.created, article.removed article.created ');
    await page.getByRole('button', { name: 'Test with the latest events' }).click();
    await page.getByText('There are no events yet to test the filter with.').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await excluded()).toEqual(['article.created', 'article.removed']);
    await page.getByText('Except').waitFor();

    await page.getByRole('button', { name: 'Edit' }).click();
    expect(await field.inputValue()).toBe('article.created article.removed');
    await field.fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText('Except').waitFor({ state: 'detached' });
    expect(await excluded()).toEqual([]);
  });

  it('ends an endpoint at a time, tells when, and goes on after another one', async () => {
    const id = await owner.endpoint();
    await page.goto(owner.url(`/endpoints/${id}`));
    const edit = async () => {
      await page.getByRole('button', { name: 'Edit' }).click();
      await openAdvanced(page);
    };
    const save = () => page.getByRole('button', { name: 'Save' }).click();
    const closed = () => page.getByRole('dialog').waitFor({ state: 'detached' });
    const end = page.getByLabel('Expires', { exact: true });
    const stored = async () => (await owner.api.subscribers.findById(id, 'any'))!.expiresAt;
    await edit();
    await end.fill('2020-01-31T08:00');
    await save();
    await page.getByText('Choose a time in the future.').waitFor();
    await visitor.expectAccessible();
    await end.focus();
    await page.keyboard.press('Delete');
    await save();
    await page.getByText('Enter a time.').waitFor();
    await end.fill('2100-01-31T08:00');
    await save();
    await closed();
    expect(await stored()).toEqual(new Date('2100-01-31T08:00'));
    await page.getByText('Jan 31, 2100, 8:00:00').waitFor();
    await page.goto(owner.url('/endpoints'));
    await page.getByText('until Jan 31, 2100, 8:00:00').first().waitFor();

    // As time would end it.
    const ended = { expiresAt: new Date(Date.now() - 1), updatedAt: new Date() };
    await owner.api.app.get(SubscriberRepository).update(id, ended, 'any');
    await page.goto(owner.url(`/endpoints/${id}`));
    await page.getByText('This endpoint has expired and gets no events.').waitFor();
    await edit();
    await end.fill('');
    await save();
    await closed();
    expect(await stored()).toBeNull();
    await page.getByText('This endpoint has expired').waitFor({ state: 'detached' });
  });

  it('sets the order of deliveries, and says what it means and what is refused', async () => {
    const id = await owner.endpoint();
    const order = async () => {
      const { ordered, onExhausted, holdFor } = (await owner.api.subscribers.findById(id, 'any'))!;
      return [ordered, onExhausted, holdFor];
    };
    await page.goto(owner.url(`/endpoints/${id}`));
    const edit = async () => {
      await page.getByRole('button', { name: 'Edit' }).click();
      await openAdvanced(page);
    };
    const save = () => page.getByRole('button', { name: 'Save' }).click();
    await edit();
    expect(await page.getByLabel('When all attempts have failed').count()).toBe(0);
    await page.getByLabel('Deliver in order').check();
    await page.getByText('The failed event is left out.').waitFor();
    await save();
    await page.getByText('One after another; continues when all attempts have failed').waitFor();
    expect(await order()).toEqual([true, 'skip', null]);

    await edit();
    await page.getByLabel('When all attempts have failed').selectOption('hold');
    await page.getByText('Until you resend the delivery and it arrives').waitFor();
    for (const wrong of ['long', '0', '337', '-1']) {
      await page.getByLabel('Wait at most').fill(wrong);
      await save();
      await page.getByText('Enter a number above 0, and at most 14 days').waitFor();
      await page.getByLabel('Wait at most').fill('');
    }
    await visitor.expectAccessible();
    await page.getByLabel('Wait at most').fill('1,5');
    await save();
    await page.getByText('failed, for 90 minutes at most').waitFor();
    expect(await order()).toEqual([true, 'hold', 5_400_000]);

    await edit();
    expect(await page.getByLabel('Wait at most').inputValue()).toBe('90');
    expect(await page.getByLabel('Unit').inputValue()).toBe('minutes');
    await page.getByLabel('Wait at most').fill('');
    await save();
    // The sentence from before begins like this one.
    const stops = 'One after another; stops when all attempts have failed';
    await page.getByText(stops, { exact: true }).waitFor();
    expect(await order()).toEqual([true, 'hold', null]);
    await edit();
    await page.getByLabel('Deliver in order').uncheck();
    await save();
    await page.getByText('One after another;').waitFor({ state: 'detached' });
    expect(await order()).toEqual([false, 'hold', null]);
  });

  it('shows an example of an event without losing what was typed', async () => {
    await page.goto(owner.url('/endpoints/new'));
    await page.getByLabel('URL').fill('https://example.com/typed');
    await page.getByText('Example of article.created').click();
    await page.getByText('"Hello"').waitFor();
    await visitor.expectAccessible();
    expect(await page.getByLabel('URL').inputValue()).toBe('https://example.com/typed');
  });

  it('counts down until the old secret signs no more', async () => {
    const id = await owner.endpoint();
    await page.goto(owner.url(`/endpoints/${id}`));
    await page.getByRole('button', { name: 'Rotate secret' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Keep the old secret for').selectOption('1 hour');
    await dialog.getByRole('button', { name: 'Rotate secret' }).click();
    await dialog.getByRole('button', { name: 'Done' }).click();
    const left = () => page.getByRole('timer').textContent();
    await expect.poll(left).toMatch(/^00:5\d:\d\d$/);
    const before = await left();
    await expect.poll(left).not.toBe(before);
    await visitor.expectAccessible();
  });
});
