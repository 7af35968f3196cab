import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Deliveries, WebhookDispatcher } from '../../lib/index.js';
import { thornPage } from '../../lib/page/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { openChromium } from '../support/open-chromium.js';
import { freePort } from '../services/free-port.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { PageVisitor } from '../support/page-visitor.js';

let browser: Browser;
let database: TestDatabase;
let receiver: ScriptedReceiver;
let api: Api;
let visitor: PageVisitor;

beforeAll(async () => {
  browser = await openChromium();
  database = await createDatabase('memory');
  receiver = await ScriptedReceiver.start();
  api = await startApi('express', {
    api: { unprotected: true, owner: () => 'alice' },
    store: database,
    thorn: {
      page: thornPage(),
      // No retry comes in between.
      retries: { schedule: [3_600_000] },
      recipients: { ...LOOPBACK_RECIPIENTS, allowedPorts: 'any' },
    },
  });
}, 180_000);
afterAll(async () => {
  await browser.close();
  await api.app.close();
  await receiver.stop();
  await database.drop();
});
beforeEach(async () => {
  receiver.otherwise(200);
  for (const { id } of (await api.subscribers.list({ limit: 100 }, 'any')).items) {
    await api.subscribers.delete(id, 'any');
  }
  visitor = await PageVisitor.start(browser);
});
afterEach(() => visitor.end());

const goTo = (path: string) => visitor.page.goto(`${api.url}/webhooks#${path}`);

/** An endpoint of alice, with one delivery of an event. */
async function delivered(data: object, path = ''): Promise<{ id: string; delivery: string }> {
  const { id } = await api.subscribers.create({
    url: receiver.url + path,
    events: ['article.*'],
    owner: 'alice',
  });
  await api.app.get(WebhookDispatcher).send('article.created', data, { owner: 'alice' });
  await expect
    .poll(async () => (await api.app.get(Deliveries).list({ subscriberId: id }, 'any')).items)
    .toMatchObject([{ attemptCount: 1 }]);
  const { items } = await api.app.get(Deliveries).list({ subscriberId: id }, 'any');
  return { id, delivery: items[0]!.id };
}

describe('an owner', () => {
  it('adds an endpoint by keyboard alone, tests it, and retries a delivery', async () => {
    const { page } = visitor;
    await goTo('/');
    await page.getByText('No endpoints yet').waitFor();
    await visitor.expectAccessible();
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const tabTo = (name: string) => visitor.tabTo(name);

    await tabTo('Add endpoint');
    await press('Enter');
    await page.getByLabel('URL').waitFor();
    await tabTo('URL');
    await page.keyboard.type('ftp://example.com/');
    await tabTo('article.created');
    await press('Space');
    await tabTo('Create endpoint');
    await press('Enter');
    await page.getByText('Must be', { exact: false }).waitFor();
    await visitor.expectAccessible();

    await page.getByLabel('URL').focus();
    await press('Control+a');
    await page.keyboard.type(receiver.url);
    await press('Enter');
    await page.getByRole('heading', { name: 'Endpoint created' }).waitFor();
    await visitor.expectAccessible();
    const secret = await page.locator('.secret code').textContent();
    await tabTo('Python');
    await press('Enter');
    await page.getByText('from standardwebhooks.webhooks import').waitFor();
    await tabTo('Send a test');
    await press('Enter');
    await page.getByText('The endpoint answered 200.').waitFor();

    receiver.otherwise(500);
    await api.app.get(WebhookDispatcher).send('article.created', {}, { owner: 'alice' });
    await tabTo('Deliveries');
    await press('Enter');
    await page.getByRole('link', { name: 'article.created' }).waitFor();
    await tabTo('Select: article.created');
    await tabTo('article.created');
    await press('Enter');
    await page.getByRole('heading', { name: 'Attempt 1' }).waitFor();
    await visitor.expectAccessible();
    receiver.otherwise(200);
    await tabTo('Resend');
    await press('Enter');
    await page.getByRole('heading', { name: 'Attempt 2' }).waitFor();
    await page.getByText('Succeeded').waitFor();

    const { items } = await api.subscribers.list({ limit: 100 }, { owner: 'alice' });
    expect(items).toMatchObject([{ url: receiver.url, events: ['article.created'] }]);
    expect(items[0]!.secrets[0]!.value).toBe(secret);
  });

  it('changes, rotates, disables, enables and deletes an endpoint', async () => {
    const { page } = visitor;
    const { id } = await delivered({});
    await goTo(`/endpoints/${id}`);
    await page.getByRole('link', { name: 'article.created' }).waitFor();
    await visitor.expectAccessible();

    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Description').fill('The <b>warehouse</b>');
    await page.getByRole('checkbox', { name: 'order.paid' }).check();
    await visitor.expectAccessible();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The <b>warehouse</b>').waitFor();

    await page.getByRole('button', { name: 'Rotate secret' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Rotate secret' }).click();
    const secret = await dialog.locator('.secret code').textContent();
    await dialog.getByRole('button', { name: 'Done' }).click();

    await page.getByRole('button', { name: 'Disable' }).click();
    await dialog.getByRole('button', { name: 'Disable' }).click();
    await page.getByText('This endpoint is disabled').waitFor();
    expect(await api.subscribers.findById(id, 'any')).toMatchObject({
      enabled: false,
      description: 'The <b>warehouse</b>',
      events: ['article.*', 'order.paid'],
      secrets: [{ value: secret }, {}],
    });
    await page.getByRole('button', { name: 'Enable' }).click();
    await page.getByRole('button', { name: 'Disable' }).waitFor();

    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No endpoints yet').waitFor();
  });

  it('sees why a delivery failed, retries it, and recovers all that failed', async () => {
    const { page } = visitor;
    receiver.otherwise({ status: 500, body: 'out of order' });
    const { id, delivery } = await delivered({});
    await goTo(`/deliveries/${delivery}`);
    await page.getByText('out of order').waitFor();
    await visitor.expectAccessible();
    receiver.otherwise(200);
    await page.getByRole('button', { name: 'Resend' }).click();
    await page.getByText('Succeeded').waitFor();

    await goTo(`/endpoints/${id}`);
    await page.getByRole('button', { name: 'Resend failed deliveries' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/^No delivery to this endpoint has failed since /).waitFor();
    expect(await api.app.get(Deliveries).findById(delivery, 'any')).toMatchObject({
      status: 'succeeded',
      attemptCount: 2,
    });
  });

  it('searches, and finds the filters in the address again', async () => {
    const { page } = visitor;
    for (const [at, enabled] of [true, true, false].entries()) {
      await api.subscribers.create({
        url: `https://example.com/${at}`,
        events: ['article.*'],
        owner: 'alice',
        enabled,
      });
    }
    await api.subscribers.create({
      url: 'https://example.com/of-bob',
      events: ['*'],
      owner: 'bob',
    });
    await goTo('/endpoints?state=active');
    await page.getByRole('link', { name: 'example.com/1' }).waitFor();
    expect(await page.getByRole('row').count()).toBe(3);
    await page.getByLabel('Search').fill('com/0');
    await page.getByRole('link', { name: 'example.com/1' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'example.com/0' }).waitFor();
    expect(await page.getByRole('row').count()).toBe(2);
    expect(page.url()).toContain('#/endpoints?state=active&q=com%2F0');
    await page.reload();
    await page.getByRole('link', { name: 'example.com/0' }).waitFor();
    expect(await page.getByRole('row').count()).toBe(2);
    await page.getByLabel('Search').fill('nowhere');
    await page.getByText('No results').waitFor();
  });

  it('reads in German why an endpoint has no answer', async () => {
    const { page } = visitor;
    const { id } = await api.subscribers.create({
      url: `http://127.0.0.1:${await freePort()}/`,
      events: ['article.*'],
      owner: 'alice',
    });
    await goTo(`/endpoints/${id}`);
    await page.getByLabel('Language').selectOption('de');
    await page.getByRole('button', { name: 'Test senden' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Test senden' }).click();
    const why = page.getByText('Der Endpunkt war nicht erreichbar.');
    await expect.poll(() => why.count()).toBe(1);
  });

  it('opens an address with a time that there is not', async () => {
    const { page } = visitor;
    await delivered({});
    await goTo('/deliveries?time=constructor');
    const link = page.getByRole('link', { name: 'article.created' });
    await expect.poll(() => link.count()).toBe(1);
  });

  it('keeps what was typed while the server is away', async () => {
    const { page } = visitor;
    await goTo('/endpoints/new');
    await page.getByLabel('URL').fill('https://example.com/typed');
    await page.getByRole('checkbox', { name: 'order.paid' }).check();
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Create endpoint' }).click();
    await page.getByRole('alert').getByText('No answer came').waitFor();
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Create endpoint' }).click();
    await page.getByRole('heading', { name: 'Endpoint created' }).waitFor();
    const { items } = await api.subscribers.list({ limit: 100 }, { owner: 'alice' });
    expect(items).toMatchObject([{ url: 'https://example.com/typed', events: ['order.paid'] }]);
  });
});

describe('the events', () => {
  it('stand beside what is shown of one of them, and above it where there is no room', async () => {
    const { page } = visitor;
    const places = async () => {
      const list = (await page.getByRole('navigation', { name: 'Events' }).boundingBox())!;
      const shown = page.getByRole('region', { name: 'article.created' });
      return [list, (await shown.boundingBox())!] as const;
    };
    await page.setViewportSize({ width: 1280, height: 800 });
    await goTo('/events/article.created');
    await page.getByText('"Hello"').waitFor();
    const [list, shown] = await places();
    expect(shown.x).toBeGreaterThan(list.x + list.width);
    expect(Math.abs(shown.y - list.y)).toBeLessThan(1);
    expect(shown.width).toBeGreaterThan(600);
    await visitor.expectAccessible();

    await page.setViewportSize({ width: 360, height: 740 });
    const [above, below] = await places();
    expect(below.y).toBeGreaterThan(above.y + above.height);
    expect(below.width).toBe(above.width);
    await visitor.expectNoOverflow();
  });

  it('begin with the first one, until another one is chosen', async () => {
    const { page } = visitor;
    const chosen = page.getByRole('navigation', { name: 'Events' }).locator('[aria-current]');
    await goTo('/events');
    await page.getByRole('region', { name: 'article.created' }).waitFor();
    expect(await chosen.allTextContents()).toEqual(['article.created']);
    await page.getByRole('link', { name: 'order.paid' }).click();
    await page.getByRole('region', { name: 'order.paid' }).waitFor();
    expect(await chosen.allTextContents()).toEqual(['order.paid']);
  });
});

describe('what others wrote', () => {
  const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>';

  it('is shown as text: markup, scripts, directions of writing, __proto__', async () => {
    const { page } = visitor;
    receiver.otherwise({
      status: 500,
      body: `{"__proto__":{"polluted":1},"text":${JSON.stringify(`${HOSTILE}\u202Egnp.exe`)}}`,
    });
    const { id, delivery } = await delivered({});
    await api.subscribers.update(id, { description: HOSTILE }, 'any');
    await goTo(`/deliveries/${delivery}`);
    await page.getByRole('group', { name: 'Response' }).getByText(HOSTILE.slice(0, 10)).waitFor();
    const shown = await page.getByRole('group', { name: 'Response' }).textContent();
    expect(shown).toContain('"__proto__"');
    expect(shown).toContain('\\u202egnp.exe');
    await goTo(`/endpoints/${id}`);
    await page.getByText(HOSTILE).waitFor();
    expect(await page.title()).not.toMatch(/^[12]$/);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.evaluate('({}).polluted')).toBeUndefined();
  });
});
