import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { Deliveries, defineEvents, WebhookDispatcher } from '../../lib/index.js';
import { thornPage } from '../../lib/page/index.js';
import { AnybodyGuard } from '../support/apps/api-app.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import { OPERATOR_SCREENS, OWNER_SCREENS, screenPath } from '../support/page-screens.js';
import { PageVisitor } from '../support/page-visitor.js';

const HTML = '<img src=x onerror="window.attacked=1"></title><script>window.attacked=2</script>';
/** Markup, a text from right to left, emoji of several parts, and a word that does not end. */
const HOSTILE = `${HTML} שלום עולם \u202Egnp.exe\u202C 👩‍👩‍👧‍👦 ${'Donaudampfschiff'.repeat(6)}`;
const OWNER = HOSTILE.slice(0, 255);
const HEADER = `X-${'Long'.repeat(15)}`;
const PATH = `${'deep.'.repeat(12)}${'name'.repeat(10)}`;

let page: OwnerPage;
let visitor: PageVisitor;
let tab: Page;
let ids: Parameters<typeof screenPath>[1];

beforeAll(async () => {
  const properties = {
    title: { type: 'string', description: HOSTILE },
    [HTML]: { type: 'string' },
  };
  page = await OwnerPage.start({
    events: defineEvents({
      'article.created': {
        description: HOSTILE,
        schema: { type: 'object', properties },
        example: { title: HOSTILE, [HTML]: HOSTILE },
      },
      [`article.${'long'.repeat(30)}`]: { description: HOSTILE },
    }),
    operatorApi: { guards: [AnybodyGuard] },
    page: thornPage({
      brand: { name: HOSTILE },
      links: [{ label: HOSTILE, url: 'https://docs.example.com/' }],
    }),
    shapes: { templates: true },
  });
  const fields = {
    description: HOSTILE,
    headers: { [HEADER]: HOSTILE.replaceAll(/[^ -~]/g, '') },
    metadata: { [HTML.slice(0, 64)]: HOSTILE },
    events: ['article.*'],
    filter: { title: { contains: HOSTILE } },
  };
  const query = `?${encodeURIComponent(HOSTILE)}`;
  const create = (input: object) =>
    page.api.subscribers.create(
      { url: page.receiver.url + query, ...fields, ...input },
      { by: OWNER },
    );
  page.receiver.otherwise({ status: 500, body: HOSTILE, headers: { 'X-Answer': HTML } });
  const { id } = await create({
    owner: 'alice',
    template: JSON.stringify({ text: `{{data.title}} ${HOSTILE}` }),
  });
  await create({ owner: OWNER, fields: [PATH, 'title'] });
  const dispatcher = page.api.app.get(WebhookDispatcher);
  const data = { title: HOSTILE, [HTML]: HOSTILE };
  for (const owner of ['alice', OWNER]) await dispatcher.send('article.created', data, { owner });
  const deliveries = page.api.app.get(Deliveries);
  await vi.waitFor(async () => {
    const { items } = await deliveries.list({ subscriberId: id }, 'any');
    expect(items).toMatchObject([{ attemptCount: 1 }]);
    ids = { id, delivery: items[0]!.id, message: items[0]!.messageId };
  });
}, 180_000);
afterAll(() => page.stop());
beforeEach(async () => {
  visitor = await PageVisitor.start(page.browser, { viewport: { width: 360, height: 740 } });
  tab = visitor.page;
});
afterEach(() => visitor.end());

const open = async (place: string) => {
  await tab.goto(page.url(place));
  await tab.getByRole('heading', { level: 1 }).waitFor();
  await tab.locator('.skeleton').first().waitFor({ state: 'detached' });
};
const expectHarmless = async () => {
  expect(await tab.evaluate('window.attacked')).toBeUndefined();
  expect(await tab.locator('.frame img, .frame script').count()).toBe(0);
  await visitor.expectNoOverflow();
};

it.each([...OWNER_SCREENS, ...OPERATOR_SCREENS])(
  '%s shows hostile texts as texts, within a narrow window',
  async (screen) => {
    await open(screenPath(screen, ids));
    await expectHarmless();
  },
);

it('shows them in the form and in the figures that are opened', async () => {
  await open(`/endpoints/${ids.id}`);
  await tab.getByRole('button', { name: 'Edit' }).click();
  await tab.locator('details.advanced summary').first().click();
  expect(await tab.getByLabel('Description', { exact: true }).inputValue()).toBe(HOSTILE);
  await expectHarmless();
  await visitor.expectAccessible();
});

it('shows to operators an owner whose name is hostile', async () => {
  await open('/operator/endpoints');
  await tab.locator('td[data-title="Owner"] a').filter({ hasText: '<img' }).click();
  await expect.poll(() => tab.locator('tbody tr').count()).toBe(1);
  await expectHarmless();
  await visitor.expectAccessible();
  await tab.getByRole('link', { name: 'Deliveries of this owner' }).click();
  await expect.poll(() => tab.locator('tbody tr').count()).toBe(1);
  await expectHarmless();
});
