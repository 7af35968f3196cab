import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generateSecret } from '../../lib/index.js';
import { de } from '../../page/text/de.js';
import { en } from '../../page/text/en.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import { PageVisitor } from '../support/page-visitor.js';

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;
let id: string;
let secret: string;

beforeAll(async () => {
  owner = await OwnerPage.start();
}, 180_000);
afterAll(() => owner.stop());
beforeEach(async () => {
  visitor = await owner.visit();
  page = visitor.page;
  secret = generateSecret();
  id = await owner.endpoint({ secret });
});
afterEach(() => visitor.end());

const dialog = () => page.getByRole('dialog');
const click = (name: string) => page.getByRole('button', { name, exact: true }).click();
const answer = (name: string) => dialog().getByRole('button', { name, exact: true }).click();
const values = async () =>
  (await owner.api.subscribers.findById(id, 'any'))!.secrets.map(({ value }) => value);
/** Which of the secrets have signed the webhook that is sent now. */
const signing = async (...secrets: readonly string[]) => {
  await owner.deliver(id, {});
  const request = owner.receiver.received.at(-1)!;
  return secrets.map((one) => request.isSignedWith(one));
};

describe.each([
  { language: 'en', t: en, near: 'Requests are signed with both secrets until' },
  { language: 'de', t: de, near: 'mit beiden Secrets signiert' },
])('a leaked secret, in $language', ({ language, t, near }) => {
  const texts = t.endpointTexts.rotation;

  it('is replaced without losing an event: both sign until the old one is ended', async () => {
    await visitor.end();
    visitor = await PageVisitor.start(owner.browser, { locale: language });
    ({ page } = visitor);
    await page.goto(owner.url(`/endpoints/${id}`));
    await click(t.rotate);
    expect(await dialog().getByRole('radio', { name: texts.keep }).isChecked()).toBe(true);
    await dialog().getByText(near).first().waitFor();
    await dialog().getByText(texts.leaked(texts.endNow)).waitFor();
    await visitor.expectAccessible();
    await dialog().getByLabel(t.overlap).selectOption(t.hours(1));
    await answer(t.rotate);
    const fresh = (await dialog().locator('.secret code').textContent())!;
    await dialog().getByText(near).waitFor();
    await visitor.expectAccessible();
    await answer(t.done);
    expect(await signing(fresh, secret)).toEqual([true, true]);

    const note = page.locator('.note').filter({ hasText: texts.endNow });
    const time = new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' });
    const { secrets } = (await owner.api.subscribers.findById(id, 'any'))!;
    const until = time.format(secrets[1]!.expiresAt!);
    expect(await note.textContent()).toBe(`${texts.signs(until)} ${texts.endNow}`);
    await visitor.expectAccessible();
    await page.setViewportSize({ width: 320, height: 640 });
    await visitor.expectNoOverflow();

    await click(texts.endNow);
    await dialog().getByText(texts.endNowHint).waitFor();
    await visitor.expectAccessible();
    await answer(t.cancel);
    expect(await values()).toEqual([fresh, secret]);
    await click(texts.endNow);
    await answer(texts.endNow);
    await page.getByRole('status').getByText(texts.ended).waitFor();
    await note.waitFor({ state: 'detached' });
    await expect
      .poll(() => page.evaluate<string | undefined>('document.activeElement?.tagName'))
      .toBe('H1');
    expect(await values()).toEqual([fresh]);
    expect(await signing(fresh, secret)).toEqual([true, false]);
    const changes = page.getByRole('table', { name: t.endpointTexts.changes }).locator('tbody tr');
    await expect.poll(() => changes.count()).toBe(3);
    expect(await changes.first().textContent()).toContain(t.endpointTexts.fields.secret);
  });
});

describe('a rotation', () => {
  it('ends the old secret at once where the user chooses it', async () => {
    await page.goto(owner.url(`/endpoints/${id}`));
    await click('Rotate secret');
    await dialog().getByRole('radio', { name: 'End it at once' }).check();
    expect(await dialog().getByLabel('Keep the old secret for').count()).toBe(0);
    await answer('Rotate secret');
    const fresh = (await dialog().locator('.secret code').textContent())!;
    await dialog().getByText('Put it into your server now').waitFor();
    await answer('Done');
    expect(await values()).toEqual([fresh]);
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
    expect(await page.getByRole('button', { name: 'End it now' }).count()).toBe(0);
  });

  it('says why the old secret could not be ended', async () => {
    await owner.api.subscribers.rotateSecret(id, { overlap: '7d' }, 'any');
    await page.goto(owner.url(`/endpoints/${id}`));
    await page.route('**/end-rotation', (route) =>
      route.fulfill({ status: 500, json: { code: 'internal-error' } }),
    );
    await click('End it now');
    await answer('End it now');
    const alert = dialog().getByRole('alert');
    await alert.getByText(/^The server had a fault on .*\d:\d\d.* Try again\./).waitFor();
    await alert.getByText('tell the support of this application this time.').waitFor();
    expect(await values()).toHaveLength(2);
    await page.unroute('**/end-rotation');
    await answer('End it now');
    await page.getByText('The old secret has ended.').waitFor();
  });
});
