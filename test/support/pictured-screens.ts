import type { Page } from 'playwright-core';
import type { Dictionary } from '../../page/text/en.js';

/** A screen of the page of {@link startSeededBlog}, or a dialog on it. */
export interface PageScreen {
  readonly name: string;
  readonly user: 'alice' | 'operator' | 'nobody';
  readonly path: string;
  /** Goes on from the path, by the texts of the chosen language. */
  readonly show?: (page: Page, texts: Dictionary) => Promise<void>;
}

const row = (text: string) => async (page: Page) => {
  await page.locator('tbody').getByText(text).first().click();
};
const firstRow = async (page: Page) => {
  await page.locator('tbody td.wide a').first().click();
};
const attempt = async (page: Page, texts: Dictionary) => {
  await firstRow(page);
  await page.getByRole('heading', { name: texts.attempt(1) }).waitFor();
};
const settled = async (page: Page) => {
  await page.locator('.plot svg, .empty').first().waitFor();
};
/** A dialog of the endpoint that a row of the list names. */
const dialog = (name: string, button: (texts: Dictionary) => string) => {
  return async (page: Page, texts: Dictionary) => {
    await row(name)(page);
    await page
      .getByRole('button', { name: button(texts), exact: true })
      .first()
      .click();
    await page.getByRole('dialog').waitFor();
  };
};

const OWNER: readonly Omit<PageScreen, 'user'>[] = [
  { name: 'overview', path: '/', show: settled },
  { name: 'overview by day', path: '/?by=day', show: settled },
  { name: 'endpoints', path: '/endpoints' },
  { name: 'endpoint that is well', path: '/endpoints', show: row('Search index') },
  { name: 'endpoint that fails', path: '/endpoints', show: row('Partner site') },
  { name: 'endpoint that is disabled', path: '/endpoints', show: row('Staging') },
  {
    name: 'add endpoint',
    path: '/endpoints/new',
    show: async (page) => {
      await page.getByRole('checkbox', { name: 'article.published' }).check();
      await page.locator('.advanced > summary').click();
    },
  },
  {
    name: 'add endpoint, refused',
    path: '/endpoints/new',
    show: async (page, texts) => {
      await page.getByRole('button', { name: texts.create }).click();
      await page.locator('.field-error:not(:empty)').first().waitFor();
    },
  },
  { name: 'edit endpoint', path: '/endpoints', show: dialog('Search index', (t) => t.edit) },
  { name: 'test', path: '/endpoints', show: dialog('Search index', (t) => t.test) },
  { name: 'rotate', path: '/endpoints', show: dialog('Search index', (t) => t.rotate) },
  { name: 'disable', path: '/endpoints', show: dialog('Search index', (t) => t.disable) },
  { name: 'delete', path: '/endpoints', show: dialog('Search index', (t) => t.remove) },
  { name: 'recover', path: '/endpoints', show: dialog('Search index', (t) => t.recover) },
  { name: 'backfill', path: '/endpoints', show: dialog('Search index', (t) => t.backfill) },
  { name: 'deliveries', path: '/deliveries' },
  { name: 'deliveries, none', path: '/deliveries?event=nothing' },
  {
    name: 'deliveries, selected',
    path: '/deliveries?status=failed&time=range',
    show: async (page) => page.locator('tbody input').first().check(),
  },
  { name: 'delivery, pending', path: '/deliveries?status=pending', show: attempt },
  { name: 'delivery, succeeded', path: '/deliveries?status=succeeded', show: attempt },
  {
    name: 'signature',
    path: '/deliveries?status=succeeded',
    show: async (page, texts) => {
      await attempt(page, texts);
      await page.getByRole('button', { name: texts.sent.why }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'message',
    path: '/deliveries?event=article.published',
    show: async (page, texts) => {
      await attempt(page, texts);
      await page.locator('dd a[href*="/messages/"]').click();
      await page.locator('figure').waitFor();
    },
  },
  { name: 'events', path: '/events' },
  { name: 'event', path: '/events/article.published' },
  {
    name: 'shortcuts',
    path: '/deliveries',
    show: async (page) => {
      await page.locator('tbody tr').first().waitFor();
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
    },
  },
  { name: 'not found', path: '/nowhere' },
  {
    name: 'an endpoint that is not there',
    path: '/endpoints/sub_01900000000070008000000000000000',
  },
];
const OPERATOR: readonly Omit<PageScreen, 'user'>[] = [
  { name: 'operator', path: '/operator', show: settled },
  { name: 'operator, endpoints', path: '/operator/endpoints' },
  { name: 'operator, endpoint', path: '/operator/endpoints', show: row('Archive') },
  { name: 'operator, deliveries', path: '/operator/deliveries' },
  { name: 'operator, delivery', path: '/operator/deliveries?status=pending', show: attempt },
  { name: 'operator, maintenance', path: '/operator/maintenance' },
];

export const PAGE_SCREENS: readonly PageScreen[] = [
  ...OWNER.map((one) => ({ ...one, user: 'alice' as const })),
  // Who operates the blog has no endpoints.
  { name: 'first visit', user: 'operator', path: '/' },
  ...OPERATOR.map((one) => ({ ...one, user: 'operator' as const })),
  { name: 'locked out', user: 'nobody', path: '/' },
];
