import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Deliveries, WebhookDispatcher } from '../../lib/index.js';
import { de } from '../../page/text/de.js';
import { freePort } from '../services/free-port.js';
import { AnybodyGuard } from '../support/apps/api-app.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import { PageVisitor } from '../support/page-visitor.js';

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;

beforeAll(async () => {
  owner = await OwnerPage.start({ operatorApi: { guards: [AnybodyGuard] } });
}, 180_000);
afterAll(() => owner.stop());
beforeEach(async () => {
  visitor = await owner.visit();
  page = visitor.page;
});
afterEach(() => visitor.end());

const cause = () => page.locator('div.note.bad');

/** The first delivery of an endpoint, whose attempt was answered so. */
async function failed(status: number): Promise<string> {
  const id = await owner.endpoint();
  owner.receiver.otherwise(status);
  return owner.deliver(id, {});
}

describe('a delivery whose latest attempt failed', () => {
  it.each([
    [404, 'The endpoint answered 404. There is nothing at this path. Check the URL.'],
    [422, 'The endpoint answered 422. The server refuses the request.'],
    [500, 'The endpoint answered 500. The server failed while it handled the request.'],
  ])('says at the top why, and what to do about it: %d', async (status, text) => {
    const delivery = await failed(status);
    for (const base of ['', '/operator']) {
      await page.goto(owner.url(`${base}/deliveries/${delivery}`));
      await expect.poll(() => cause().textContent()).toContain(text);
      await page.getByText(/^Next attempt: /).waitFor();
      await visitor.expectAccessible();
    }
    await page.setViewportSize({ width: 320, height: 640 });
    await visitor.expectNoOverflow();
  });

  it('says why there was no answer, as the page of the endpoint does', async () => {
    const { id } = await owner.api.subscribers.create({
      url: `http://127.0.0.1:${await freePort()}/`,
      events: ['article.*'],
      owner: 'alice',
    });
    const delivery = await owner.deliver(id, {});
    await page.goto(owner.url(`/endpoints/${id}`));
    const failure = page.locator('.failures p').filter({ hasText: 'could not be reached' });
    const said = await failure.textContent();
    expect(said).toContain('The endpoint could not be reached. Check the URL');
    await page.goto(owner.url(`/deliveries/${delivery}`));
    await expect.poll(() => cause().textContent()).toBe(said);
  });

  it('says so in German', async () => {
    const delivery = await failed(503);
    await visitor.end();
    visitor = await PageVisitor.start(owner.browser, { locale: 'de-DE' });
    ({ page } = visitor);
    await page.goto(owner.url(`/deliveries/${delivery}`));
    await expect
      .poll(() => cause().textContent())
      .toBe(`${de.endpointTexts.answered(503)} ${de.endpointTexts.advice['503']}`);
    await visitor.expectAccessible();
  });

  it('says no more of it once it has succeeded', async () => {
    const delivery = await failed(500);
    await page.goto(owner.url(`/deliveries/${delivery}`));
    await cause().waitFor();
    await page.getByRole('button', { name: 'Cancel delivery' }).click();
    await page.getByText('The delivery is cancelled.').waitFor();
    expect(await cause().count()).toBe(1);

    owner.receiver.otherwise(200);
    await page.getByRole('button', { name: 'Resend' }).click();
    await page.locator('.lead').getByText('Succeeded').waitFor();
    await page.getByRole('heading', { name: 'Attempt 2' }).waitFor();
    expect(await cause().count()).toBe(0);
    expect(await page.getByText('Next attempt').count()).toBe(0);
  });
});

describe('a delivery that waits', () => {
  it('says for what, on its own page and on that of its endpoint, without a cause', async () => {
    const { id } = await owner.api.subscribers.create({
      ...{ url: owner.receiver.url, events: ['article.*'], owner: 'alice' },
      ...{ ordered: true, onExhausted: 'hold' },
    });
    owner.receiver.otherwise(500);
    for (const event of ['article.created', 'article.changed']) {
      const terms = { owner: 'alice', orderBy: 'article:1' };
      await owner.api.app.get(WebhookDispatcher).send(event, {}, terms);
    }
    const list = async () =>
      (await owner.api.app.get(Deliveries).list({ subscriberId: id }, 'any')).items;
    await expect.poll(list).toMatchObject([{ blocked: true }, { blocked: false, attemptCount: 1 }]);
    const [blocked, first] = await list();

    await page.goto(owner.url(`/endpoints/${id}`));
    const row = (event: string) => page.locator('tbody tr').filter({ hasText: event });
    await row('article.changed').getByText('Waits for an earlier event').waitFor();
    await row('article.created')
      .getByText(/^Next attempt in /)
      .waitFor();
    await page.goto(owner.url(`/deliveries/${blocked!.id}`));
    const note = page.locator('.note').filter({ hasText: 'Waits for an earlier event' });
    await note.getByRole('link').click();
    await page.getByText(/^Next attempt: /).waitFor();
    expect(page.url()).toContain(first!.id);
    expect(await cause().count()).toBe(1);
    await page.goBack();
    await note.waitFor();
    expect(await cause().count()).toBe(0);
  });

  it('says what comes next when it is sent again', async () => {
    const { id } = await owner.api.subscribers.create({
      ...{ url: owner.receiver.url, events: ['article.*'], owner: 'alice', ordered: true },
    });
    const terms = { owner: 'alice', orderBy: 'article:1' };
    const send = (event: string) => owner.api.app.get(WebhookDispatcher).send(event, {}, terms);
    const list = async () =>
      (await owner.api.app.get(Deliveries).list({ subscriberId: id }, 'any')).items;
    await send('article.created');
    await expect.poll(list).toMatchObject([{ status: 'succeeded' }]);
    const [done] = await list();
    owner.receiver.otherwise(500);
    await send('article.changed');
    await expect.poll(list).toMatchObject([{ attemptCount: 1 }, {}]);

    await page.goto(owner.url(`/deliveries/${done!.id}`));
    await page.locator('.lead').getByText('Succeeded').waitFor();
    expect(await cause().count()).toBe(0);
    await page.getByRole('button', { name: 'Resend' }).click();
    await page.getByText('The delivery is sent again.').waitFor();
    await page
      .locator('.note.off')
      .getByText(/Waits for an earlier event|Next attempt|Will be sent|Being sent now/)
      .waitFor();
    await visitor.expectAccessible();
  });
});
