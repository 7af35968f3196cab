import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHAT_TEMPLATES, defineEvents, WebhookDispatcher } from '../../lib/index.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';

const example = { id: 7, title: 'A "quoted" title', lines: [{ sku: 'a', n: 1 }] };
const line = { type: 'object', properties: { sku: { type: 'string' }, n: { type: 'integer' } } };
const events = defineEvents({
  'order.paid': {
    description: 'An order was paid',
    schema: {
      type: 'object',
      properties: {
        id: { type: 'integer' },
        title: { type: 'string' },
        lines: { type: 'array', items: line },
      },
    },
    example,
  },
  'price.moved': { description: 'A price has moved', changed: ['net', 'gross'] },
});
const API = 'https://api.example.com/hooks';

describe('the body of requests on the page', () => {
  let owner: OwnerPage;
  let visitor: PageVisitor;
  let page: Page;

  beforeAll(async () => {
    owner = await OwnerPage.start({ events, shapes: { templates: true, url: API } });
  }, 180_000);
  afterAll(() => owner.stop());
  beforeEach(async () => {
    visitor = await owner.visit();
    page = visitor.page;
  });
  afterEach(() => visitor.end());

  const field = (name: string) => page.getByLabel(name, { exact: true });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const stored = async (id: string) => {
    const { fields, thin, template } = (await owner.api.subscribers.findById(id, 'any'))!;
    return { fields, thin, template };
  };
  const edit = async (id: string) => {
    await page.goto(owner.url(`/endpoints/${id}`));
    await button('Edit').click();
    const advanced = page.locator('details.advanced');
    if ((await advanced.getAttribute('open')) === null) await advanced.locator('summary').click();
  };
  const save = async () => {
    await button('Save').click();
    await page.getByRole('status').getByText('Saved: Body', { exact: true }).waitFor();
  };
  const preview = async () => {
    const text = await page.getByRole('group', { name: 'Preview', exact: true }).innerText();
    return JSON.parse(text) as Record<string, unknown>;
  };
  /** The body that the endpoint gets of an event with the data of the example. */
  const delivered = async () => {
    owner.receiver.clear();
    await owner.api.app.get(WebhookDispatcher).send('order.paid', example, { owner: 'alice' });
    const [request] = await owner.receiver.waitFor(1);
    return JSON.parse(request!.body.toString()) as Record<string, unknown>;
  };
  const anyTime = { timestamp: expect.any(String) as string };

  it('has the fields that are chosen, as the preview shows them', async () => {
    const id = await owner.endpoint({ events: ['order.paid'] });
    await edit(id);
    await field('Content').selectOption('Only some fields');
    await button('Save').click();
    await page.getByText('Enter a value.').waitFor();
    for (const name of ['lines.sku', 'title']) {
      await page.getByRole('checkbox', { name, exact: true }).check();
    }
    const data = { title: example.title, lines: [{ sku: 'a' }] };
    await expect.poll(async () => (await preview())['data']).toEqual(data);
    expect(await field('Fields').inputValue()).toBe('lines.sku title');
    await visitor.expectAccessible();
    const shown = await preview();
    await save();
    expect(await stored(id)).toMatchObject({ fields: ['lines.sku', 'title'] });
    // What the message itself says, such as its owner, is no data of the event.
    expect(await delivered()).toEqual({ ...shown, ...anyTime, owner: 'alice' });

    await edit(id);
    await field('Fields').fill('titel');
    await button('Save').click();
    await page.getByText('The data of these events has no field titel.').waitFor();
    await expect
      .poll(() => page.evaluate('document.activeElement.labels[0].textContent'))
      .toBe('Fields');
    await field('Content').selectOption('Everything');
    await save();
    expect(await stored(id)).toEqual({ fields: null, thin: false, template: null });
  });

  it('is asked for by changed fields where an event tells them', async () => {
    await page.goto(owner.url('/endpoints/new'));
    await field('URL').fill(owner.receiver.url);
    await page.locator('details.advanced > summary').click();
    const changed = page.getByLabel('Only when one of these fields has changed');
    const untold = page.getByText('None of the chosen events says which of its fields');
    expect(await changed.isEnabled()).toBe(true);
    await page.getByRole('checkbox', { name: 'order.paid' }).check();
    await untold.waitFor();
    expect(await changed.isDisabled()).toBe(true);
    await visitor.expectAccessible();

    await page.getByRole('checkbox', { name: 'price.moved' }).check();
    await expect.poll(() => changed.isEnabled()).toBe(true);
    expect(await untold.count()).toBe(0);
    await changed.fill('net');
    await page.getByRole('checkbox', { name: 'price.moved' }).uncheck();
    await untold.waitFor();
    // What is typed can be removed.
    expect(await changed.isEnabled()).toBe(true);
    await page.getByRole('checkbox', { name: 'price.moved' }).check();
    await page.getByRole('checkbox', { name: 'order.paid' }).uncheck();
    await button('Create endpoint').click();
    await expect
      .poll(async () => (await owner.api.subscribers.list({}, 'any')).items)
      .toMatchObject([{ events: ['price.moved'], changed: ['net'] }]);
  });

  it('is a link that leads to the API', async () => {
    const id = await owner.endpoint({ events: ['order.paid'] });
    await edit(id);
    await field('Content').selectOption('Only a link');
    const { ref, ...shown } = await preview();
    expect(ref).toBe(`${API}/events/msg_0`);
    await visitor.expectAccessible();
    await save();
    const sent = await delivered();
    expect(sent).toEqual({
      ...shown,
      ...anyTime,
      id: sent['id'],
      ref: `${API}/events/${String(sent['id'])}`,
    });
    await page.getByText('Only a link').waitFor();
  });

  it('is made by a template, whose mistakes are shown before and after it is saved', async () => {
    const id = await owner.endpoint({ events: ['order.paid'] });
    await edit(id);
    await field('Content').selectOption('Your own template');
    await button('Slack').click();
    expect(await field('Template').inputValue()).toBe(CHAT_TEMPLATES.slack);
    await button('Discord').click();
    await expect.poll(async () => (await preview())['content']).toBe('order.paid');
    await visitor.expectAccessible();
    await field('Template').fill('{"text": "{{data.title}"}');
    await page.getByText('The template has a mistake at character 11').waitFor();
    // What the user has written is not replaced.
    expect(await button('Slack').count()).toBe(0);
    await field('Template').fill('{"text": "{{data.titel}}"}');
    await button('Save').click();
    await page.getByText('The data of these events has no field titel.').waitFor();
    await expect
      .poll(() => page.evaluate('document.activeElement.labels[0].textContent'))
      .toBe('Template');
    await field('Template').fill('{"text": "> {{data.title}}", "id": {{data.id}}}');
    const shown = { text: '> A "quoted" title', id: 7 };
    await expect.poll(preview).toEqual(shown);
    await save();
    expect(await delivered()).toEqual(shown);
    expect(await stored(id)).toMatchObject({ fields: null, thin: false });
    // Another shape takes its place.
    await edit(id);
    await field('Content').selectOption('Only a link');
    await save();
    expect(await stored(id)).toEqual({ fields: null, thin: true, template: null });
  });
});

it('offers only what the application allows', async () => {
  for (const [thorn, offered] of [
    [{ events }, ['Everything', 'Only some fields']],
    [{ events, envelope: 'thorn' }, []],
  ] as const) {
    const owner = await OwnerPage.start(thorn);
    const visitor = await owner.visit();
    const { page } = visitor;
    await page.goto(owner.url('/endpoints/new'));
    await page.locator('details.advanced > summary').click();
    await page.getByLabel('Timeout').waitFor();
    expect(
      await page.getByLabel('Content', { exact: true }).locator('option').allTextContents(),
    ).toEqual(offered);
    const changed = page.getByLabel('Only when one of these fields has changed');
    expect(await changed.count()).toBe(offered.length === 0 ? 0 : 1);
    await visitor.end();
    await owner.stop();
  }
}, 180_000);
