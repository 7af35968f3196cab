import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EndpointAuth } from '../../lib/index.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import { PageVisitor } from '../support/page-visitor.js';

const SECRET = 'never-shown-again';

describe('the credentials of an endpoint on the page', () => {
  let owner: OwnerPage;
  let visitor: PageVisitor;
  let page: Page;
  /** The bodies of all answers that the page has had. */
  let answers: Promise<string>[];

  beforeAll(async () => {
    owner = await OwnerPage.start();
  }, 180_000);
  afterAll(() => owner.stop());
  beforeEach(async () => {
    visitor = await owner.visit();
    page = visitor.page;
    answers = [];
    page.on('response', (response) => answers.push(response.text().catch(() => '')));
  });
  afterEach(() => visitor.end());

  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const field = (name: string) => page.getByLabel(name, { exact: true });
  const stored = async (id: string) => (await owner.api.subscribers.findById(id, 'any'))!;
  const edit = async (id: string) => {
    await page.goto(owner.url(`/endpoints/${id}`));
    await button('Edit').click();
    const advanced = page.locator('details.advanced');
    if ((await advanced.getAttribute('open')) === null) await advanced.locator('summary').click();
  };
  const save = async (says: string) => {
    await button('Save').click();
    await page.getByRole('status').getByText(says, { exact: true }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
  };
  /** What the page holds: its document, what is typed in it, and what it was answered. */
  const expectNowhere = async (secret: string) => {
    const [html, typed, kept] = await page.evaluate<[string, string[], string]>(
      `[document.documentElement.outerHTML, [...document.querySelectorAll('input, textarea')].map((one) => one.value), JSON.stringify({ ...localStorage, ...sessionStorage })]`,
    );
    const all = [html, ...typed, kept, ...(await Promise.all(answers))];
    expect(all.filter((one) => one.includes(secret))).toEqual([]);
    expect(all.length).toBeGreaterThan(5);
  };
  const focused = () =>
    page.evaluate<string>(
      `(({ labels, ariaLabel }) => labels?.[0]?.textContent ?? ariaLabel)(document.activeElement)`,
    );

  it('creates an endpoint with headers, a token and a timeout, and shows none of their values', async () => {
    await page.goto(owner.url('/endpoints/new'));
    await page.getByLabel('URL', { exact: true }).fill(owner.receiver.url);
    await page.getByRole('checkbox', { name: 'article.created' }).check();
    expect(await field('Timeout').count()).toBe(0);
    await page.locator('summary', { hasText: 'Advanced' }).click();
    await button('Add header').click();
    const row = page.getByRole('group', { name: 'New header 1' });
    await row.getByLabel('Name').fill('X-Api-Key');
    await row.getByLabel('Value').fill(SECRET);
    // A row that is left empty is no header.
    await button('Add header').click();
    await field('Method').selectOption('Bearer token');
    await field('Token').fill(`${SECRET}-token`);
    expect(await field('Token').getAttribute('type')).toBe('password');
    await field('Timeout').fill('2,5');
    await visitor.expectAccessible();
    await button('Create endpoint').click();
    await page.getByRole('heading', { name: 'Endpoint created' }).waitFor();
    await expectNowhere(SECRET);
    const [made] = (await owner.api.subscribers.list({ limit: 1 }, 'any')).items;
    expect(made).toMatchObject({
      headers: { 'X-Api-Key': SECRET },
      auth: { type: 'bearer', token: `${SECRET}-token` },
      timeout: 2500,
    });

    await button('Go to the endpoint').click();
    await page.getByText('Bearer token').waitFor();
    await page.getByText('2.5 s', { exact: true }).waitFor();
    await owner.deliver(made!.id, { title: 'Hello' });
    expect(owner.receiver.received[0]!.headers).toMatchObject({
      'x-api-key': SECRET,
      authorization: `Bearer ${SECRET}-token`,
    });
    await expectNowhere(SECRET);
  });

  it('keeps, replaces and deletes headers one by one', async () => {
    const id = await owner.endpoint();
    const before = { 'X-One': 'first', 'X-Two': 'second', 'X-Three': 'third' };
    await owner.api.subscribers.update(id, { headers: before }, 'any');
    await edit(id);
    const row = (name: string) => page.getByRole('group', { name: `Header ${name}`, exact: true });
    await row('X-Two').getByRole('button', { name: 'Replace value' }).click();
    await expect.poll(focused).toBe('Value');
    await page.keyboard.type(SECRET);
    await row('X-Three').getByRole('button', { name: 'Delete' }).click();
    await row('X-Three').getByText('Is deleted when you save').waitFor();
    await row('X-One').getByRole('button', { name: 'Delete' }).click();
    await row('X-One').getByRole('button', { name: 'Do not delete' }).click();
    await visitor.expectAccessible();
    await save('Saved: Headers');
    expect((await stored(id)).headers).toEqual({ 'X-One': 'first', 'X-Two': SECRET });
    await expectNowhere(SECRET);

    await edit(id);
    await row('X-Two').getByRole('button', { name: 'Replace value' }).click();
    await row('X-Two').getByRole('button', { name: 'Keep the old value' }).click();
    await save('There was nothing to save: you have changed no field.');
    expect((await stored(id)).headers).toEqual({ 'X-One': 'first', 'X-Two': SECRET });
  });

  it('says which header is wrong, and leads to it', async () => {
    const id = await owner.endpoint();
    await owner.api.subscribers.update(id, { headers: { 'X-One': 'first' } }, 'any');
    await edit(id);
    await button('Add header').click();
    const row = page.getByRole('group', { name: 'New header 2' });
    const [name, value] = [row.getByLabel('Name'), row.getByLabel('Value')];
    for (const [typed, content, says] of [
      ['x-one', 'a', 'x-one is listed twice.'],
      ['Content-Type', 'a', 'Content-Type is set for each request, and cannot be replaced.'],
      ['X-New', '', 'Enter a value for X-New:'],
      ['X-New', ' a', 'Enter a value for X-New:'],
      ['X New', 'a', 'Enter a name such as X-Api-Key'],
      ['', 'a', 'Enter a name such as X-Api-Key'],
      ['X-New', 'a'.repeat(3969), 'Enter at most 3968 characters.'],
    ] as const) {
      await name.fill(typed);
      await value.fill(content);
      await button('Save').click();
      await page.locator('#headers-error', { hasText: says }).waitFor();
    }
    await name.fill('Host');
    await button('Save').click();
    await page.locator('#headers-error', { hasText: 'Host is set' }).waitFor();
    await expect.poll(focused).toBe('Name');
    expect(await name.getAttribute('aria-invalid')).toBe('true');
    await visitor.expectAccessible();
    await row.getByRole('button', { name: 'Delete' }).click();
    await expect
      .poll(() => page.evaluate<string>('document.activeElement.textContent'))
      .toBe('Add header');
    expect((await stored(id)).headers).toEqual({ 'X-One': 'first' });
  });

  it('keeps what is left empty, and asks for the secret again for another token URL', async () => {
    const id = await owner.endpoint();
    const auth: EndpointAuth = {
      type: 'oauth2',
      tokenUrl: `${owner.receiver.url}/token?tenant=7`,
      ...{ clientId: 'me', clientSecret: SECRET, scope: 'a b' },
    };
    await owner.api.subscribers.update(id, { auth }, 'any');
    await edit(id);
    expect(await field('Token URL').inputValue()).toBe(`${owner.receiver.url}/token`);
    expect(await field('Client secret').inputValue()).toBe('');
    await page.getByText('A value is saved. Leave the field empty to keep it.').waitFor();
    await field('Scope').fill('');
    await save('Saved: Authentication');
    const { scope: _, ...withoutScope } = auth;
    expect((await stored(id)).auth).toEqual(withoutScope);

    await edit(id);
    const moved = `${owner.receiver.url}/elsewhere`;
    await field('Token URL').fill(moved);
    await page.getByText('Enter the secret again').waitFor();
    await button('Save').click();
    await page.getByText('Enter a value.').waitFor();
    await expect.poll(focused).toBe('Client secret');
    await visitor.expectAccessible();
    await field('Client secret').fill('another-secret');
    await save('Saved: Authentication');
    expect((await stored(id)).auth).toEqual({
      ...withoutScope,
      ...{ tokenUrl: moved, clientSecret: 'another-secret' },
    });
    for (const one of [SECRET, 'another-secret', 'tenant=7']) await expectNowhere(one);
  });

  it('asks for all of it again for a URL on another server', async () => {
    const other = owner.receiver.url.replace(/:\d+/, ':8443');
    const { id } = await owner.api.subscribers.create({
      ...{ url: owner.receiver.url, events: ['article.*'], owner: 'alice' },
      ...{ headers: { 'X-Api-Key': SECRET }, auth: { type: 'bearer', token: SECRET } },
    });
    await edit(id);
    const header = page.getByRole('group', { name: 'Header X-Api-Key' });
    const again = page.getByText('Enter it again, because the URL leads to another server.');
    await header.getByText('Has a value, which is hidden').waitFor();
    expect(await again.count()).toBe(0);
    await field('URL').fill(other);
    await header.getByText('Replace the value or delete the header, because').waitFor();
    await again.waitFor();
    await button('Save').click();
    const refusal = 'The URL leads to another server: enter these values again, or remove them.';
    await expect.poll(() => page.getByText(refusal, { exact: true }).count()).toBe(2);
    await visitor.expectAccessible();
    expect((await stored(id)).url).toBe(owner.receiver.url);

    await header.getByRole('button', { name: 'Delete' }).click();
    await field('Token').fill('another-token');
    await save('Saved: URL, Headers, Authentication');
    expect(await stored(id)).toMatchObject({
      ...{ url: other, headers: {}, auth: { type: 'bearer', token: 'another-token' } },
    });
    await expectNowhere(SECRET);
  });

  it('changes the password alone, then the method, and ends it', async () => {
    const id = await owner.endpoint();
    const auth = { type: 'basic', username: 'ann-of-old', password: SECRET } as const;
    await owner.api.subscribers.update(id, { auth }, 'any');
    await edit(id);
    await field('Password').fill('another-password');
    await save('Saved: Authentication');
    expect((await stored(id)).auth).toEqual({ ...auth, password: 'another-password' });
    await expectNowhere('ann-of-old');

    await edit(id);
    await field('Method').selectOption('Bearer token');
    await button('Save').click();
    await page.getByText('Enter a value.').waitFor();
    await field('Token').fill('with blanks');
    await button('Save').click();
    await page.getByText('Enter letters without accents').waitFor();
    await expect.poll(focused).toBe('Token');
    await field('Token').fill(SECRET);
    await save('Saved: Authentication');
    expect((await stored(id)).auth).toEqual({ type: 'bearer', token: SECRET });

    await edit(id);
    await field('Method').selectOption('None');
    await save('Saved: Authentication');
    expect((await stored(id)).auth).toBeNull();
    await expectNowhere(SECRET);
  });

  it('refuses a timeout beyond its limits, opens what is closed, and says all that it saves', async () => {
    const id = await owner.endpoint();
    await edit(id);
    for (const wrong of ['0', '31', 'soon', '0,0001']) {
      await field('Timeout').fill(wrong);
      await page.locator('summary', { hasText: 'Advanced' }).click();
      await page.locator('details.advanced:not([open])').waitFor();
      await button('Save').click();
      await page.getByText('Enter a number from 1 to 30').waitFor();
      await expect.poll(focused).toBe('Timeout');
      await field('Timeout').fill('');
    }
    await field('Timeout').fill('20');
    await field('Description').fill('Staging');
    await save('Saved: Description, Timeout');
    expect(await stored(id)).toMatchObject({ description: 'Staging', timeout: 20_000 });
    await edit(id);
    await field('Timeout').fill('');
    await save('Saved: Timeout');
    expect((await stored(id)).timeout).toBeNull();
    await edit(id);
    await page.getByRole('checkbox', { name: 'All of article' }).uncheck();
    await button('Save').click();
    await page.getByText('Choose at least one event.').waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.type')).toBe('checkbox');
  });

  it('is whole by keyboard, and in German on a phone', async () => {
    await visitor.end();
    visitor = await PageVisitor.start(owner.browser, {
      locale: 'de-DE',
      viewport: { width: 360, height: 740 },
    });
    page = visitor.page;
    await page.goto(owner.url('/endpoints/new'));
    await visitor.tabTo('URL');
    await page.keyboard.type(owner.receiver.url);
    await page.getByRole('checkbox', { name: 'article.created' }).focus();
    await page.keyboard.press('Space');
    await page.locator('details.advanced > summary').focus();
    await page.keyboard.press('Enter');
    await visitor.tabTo('Header hinzufügen');
    await page.keyboard.press('Enter');
    await expect.poll(focused).toBe('Name');
    await page.keyboard.type('Host');
    await page.keyboard.press('Tab');
    await page.keyboard.type(SECRET);
    await visitor.tabTo('Verfahren');
    await page.keyboard.press('O');
    await visitor.tabTo('Token-URL');
    await page.keyboard.type('http://10.0.0.1/');
    await visitor.tabTo('Client-ID');
    await page.keyboard.type('me');
    await page.keyboard.press('Tab');
    await page.keyboard.type(SECRET);
    await page.keyboard.press('Enter');
    await page.getByText('Host wird bei jeder Anfrage gesetzt').waitFor();
    await page.getByText('Von dieser Adresse können keine Tokens geholt werden.').waitFor();
    await visitor.expectAccessible();
    await visitor.expectNoOverflow();
    await expect.poll(focused).toBe('Name');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('X-Key');
    await visitor.tabTo('Token-URL');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(`${owner.receiver.url}/token`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Endpunkt angelegt' }).waitFor();
    const [made] = (await owner.api.subscribers.list({ limit: 1 }, 'any')).items;
    expect(made).toMatchObject({
      headers: { 'X-Key': SECRET },
      auth: { type: 'oauth2', clientId: 'me', clientSecret: SECRET },
    });
  });
});
