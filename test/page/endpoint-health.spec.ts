import { DataSource } from 'typeorm';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { outbox, WebhookDispatcher } from '../../lib/index.js';
import { freePort } from '../services/free-port.js';
import { AnybodyGuard } from '../support/apps/api-app.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';

const DAY = 24 * 60 * 60_000;
/** An endpoint is disabled after ten days in which at least two messages have failed. */
const HEALTH = { disableAfter: 10 * DAY, minMessages: 2 };
const HOSTILE = `<img src=x onerror="document.title=1">\u202Egnp.${'exe'.repeat(60)}`;

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;

beforeAll(async () => {
  owner = await OwnerPage.start({
    ...{ health: HEALTH, operatorApi: { guards: [AnybodyGuard] } },
    // No pause of the host comes in between.
    dispatch: outbox({ endpoints: { failures: 1000 } }),
  });
}, 180_000);
afterAll(() => owner.stop());
beforeEach(async () => {
  visitor = await owner.visit();
  page = visitor.page;
});
afterEach(() => visitor.end());

const query = (sql: string) => owner.api.app.get(DataSource).query<unknown[]>(sql);
const button = (name: string) => page.getByRole('button', { name, exact: true });
const note = () => page.locator('.note').first();
const kinds = async (id: string) =>
  (await owner.api.subscribers.changes(id, {}, 'any'))!.items.map(({ kind }) => kind);

/** An endpoint whose every request has failed for a share of the ten days. */
async function failing(share: number, status = 500): Promise<string> {
  const id = await owner.endpoint({ path: '/orders' });
  owner.receiver.otherwise(status);
  await owner.deliver(id, {});
  const rows = () => query(`SELECT 1 FROM thorn_health WHERE subscriber_id = '${id}'`);
  await vi.waitFor(async () => expect(await rows()).toHaveLength(1));
  const since = Date.now() - share * HEALTH.disableAfter;
  await query(`UPDATE thorn_health SET failing_since = ${since} WHERE subscriber_id = '${id}'`);
  await owner.deliver(id, {});
  const told = share >= 1 ? 'disabled' : 'failing';
  await vi.waitFor(async () => expect(await kinds(id)).toContain(told));
  return id;
}

describe('the screen of an endpoint that fails', () => {
  it.each([
    [0.505, '50%', 'in 5 days'],
    [0.755, '75%', 'in 2 days'],
    [0.905, '90%', 'in 23 hr.'],
  ])('says at %d of the way that it is disabled soon', async (share, percent, when) => {
    const id = await failing(share);
    await page.goto(owner.url(`/endpoints/${id}`));
    await note().getByText(`${percent} of the way to being disabled.`).waitFor();
    const text = await note().textContent();
    expect(text).toMatch(/^Every attempt has failed since .* 2 events have failed since then\./);
    expect(text).toContain(`The endpoint is disabled ${when} (`);
    expect(text).toContain('Last response: The endpoint answered 500.');
    const way = page.getByRole('progressbar', { name: 'of the way to being disabled' });
    expect(await way.getAttribute('value')).toBe(String(Number.parseInt(percent, 10)));

    // Operators see the same.
    await page.goto(owner.url(`/operator/endpoints/${id}`));
    await note().getByText(`${percent} of the way to being disabled.`).waitFor();
    await visitor.expectAccessible();
  });

  it('is told in lists with the time at which it is disabled', async () => {
    const id = await failing(0.755);
    const row = page.locator('tbody tr').filter({ hasText: '/orders' });
    const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });
    const when = day.format(Date.now() + 0.245 * HEALTH.disableAfter);
    for (const place of ['/', '/endpoints', '/operator/endpoints']) {
      await page.goto(owner.url(place));
      await row.getByText('Failing').waitFor();
      await row.getByText(/^2 of 2 attempts failed$/).waitFor();
      const line = row.getByText(/^Will be disabled on .* unless a request succeeds$/);
      expect(await line.textContent()).toContain(when);
      await visitor.expectAccessible();
    }
    await page.setViewportSize({ width: 320, height: 640 });
    await visitor.expectNoOverflow();
    await page.goto(owner.url(`/operator/endpoints/${id}`));
    await page.locator('.lead').getByText('Will be disabled on').waitFor();

    const soon = Date.now() - 1.01 * HEALTH.disableAfter;
    await query(`UPDATE thorn_health SET failing_since = ${soon}`);
    await page.goto(owner.url('/endpoints'));
    await row.getByText('will be disabled when a few more events have failed').waitFor();
  });

  it('is unstable, not active, while most attempts fail with a success in between', async () => {
    const id = await owner.endpoint({ path: '/orders' });
    for (const status of [500, 500, 200]) {
      owner.receiver.otherwise(status);
      await owner.deliver(id, {});
    }
    const endpoints = page.getByRole('table', { name: 'Endpoints' });
    const row = endpoints.locator('tbody tr').filter({ hasText: '/orders' });
    for (const place of ['/', '/endpoints', '/operator/endpoints']) {
      await page.goto(owner.url(place));
      await row.getByText('2 of 3 attempts failed').waitFor();
      expect(await row.locator('.badge').textContent()).toBe('Unstable');
    }
    await query(`UPDATE thorn_attempts SET started_at = started_at - ${2 * 3_600_000}`);
    for (const place of [`/endpoints/${id}`, `/operator/endpoints/${id}`]) {
      await page.goto(owner.url(place));
      const badge = page.locator('.lead').getByText('Unstable');
      await badge.waitFor();
      expect(await badge.getAttribute('title')).toBe('2 of 3 attempts failed');
      await visitor.expectAccessible();
    }

    for (const status of [200, 200]) {
      owner.receiver.otherwise(status);
      await owner.deliver(id, {});
    }
    await page.goto(owner.url('/endpoints'));
    await row.getByText('2 of 5 attempts failed').waitFor();
    expect(await row.locator('.badge').textContent()).toBe('Active');
  });

  it('says since when attempts are counted, where there are too many of a day', async () => {
    const id = await owner.endpoint();
    await owner.deliver(id, {});
    const countedSince = new Date(Date.now() - 3_600_000).toISOString();
    await page.route(/figures=lastDay/, async (route) => {
      const response = await route.fetch();
      const { items, next } = await response.json();
      for (const one of items) one.lastDay.countedSince = countedSince;
      await route.fulfill({ response, json: { items, next } });
    });
    for (const place of ['/endpoints', '/operator/endpoints']) {
      await page.goto(owner.url(place));
      await page.getByText(/^Only attempts since .* are counted/).waitFor();
    }
    await page.unroute(/figures=lastDay/);
    await page.reload();
    await page.getByText('1 attempt', { exact: true }).waitFor();
    expect(await page.getByText('Only attempts since').count()).toBe(0);
  });

  it('says that only a few more failures are missing, once the time is over', async () => {
    const id = await failing(0.905);
    const past = `json_set(figures, '$.disablesAt', ${Date.now() - 1})`;
    await query(`UPDATE thorn_subscriber_changes SET figures = ${past} WHERE kind = 'failing'`);
    await page.goto(owner.url(`/endpoints/${id}`));
    await expect
      .poll(() => note().textContent())
      .toContain('The endpoint will be disabled when a few more events have failed.');
  });

  it('says when and why it was disabled, and what to do, until the missed events are sent', async () => {
    const id = await failing(1.01);
    await page.goto(owner.url(`/endpoints/${id}`));
    await note().getByText('This endpoint is disabled').waitFor();
    await note()
      .getByText(
        /Disabled automatically on .*, because every request had failed since .* answered 500\./,
      )
      .waitFor();
    expect(await note().locator('li').allTextContents()).toEqual([
      'Repair your server. “Latest failures” says what to look for.',
      'Press “Enable”.',
      'Press “Send missed events” for the events since then.',
    ]);
    await page.getByRole('heading', { name: 'Latest failures' }).waitFor();
    await visitor.expectAccessible();
    await owner.api.app.get(WebhookDispatcher).send('article.created', {}, { owner: 'alice' });
    owner.receiver.otherwise(200);
    const before = owner.receiver.received.length;

    await button('Enable').click();
    await note()
      .getByText(/^Enabled again on .* by alice\./)
      .waitFor();
    await note().getByRole('button', { name: 'Send missed events' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await dialog.getByText('being sent').waitFor();
    await expect.poll(() => owner.receiver.received.length).toBeGreaterThan(before);
  });

  it('says that it was disabled by a 410, or by whom', async () => {
    const gone = await owner.endpoint();
    owner.receiver.otherwise(410);
    await owner.deliver(gone, {});
    await vi.waitFor(async () => expect(await kinds(gone)).toContain('disabled'));
    await page.goto(owner.url(`/endpoints/${gone}`));
    await note().getByText('because the endpoint answered 410 (Gone)').waitFor();

    const off = await owner.endpoint();
    await owner.api.subscribers.update(off, { enabled: false }, 'any', { by: HOSTILE });
    await page.goto(owner.url(`/endpoints/${off}`));
    await note()
      .getByText(/^Disabled on .* by <img/)
      .waitFor();
    expect(await note().locator('bdi').textContent()).toBe(HOSTILE);
  });

  it('says that it works again, and offers to retry what has failed', async () => {
    const id = await failing(0.505);
    owner.receiver.otherwise(200);
    await owner.deliver(id, {});
    await vi.waitFor(async () => expect(await kinds(id)).toContain('recovered'));
    await page.goto(owner.url(`/endpoints/${id}`));
    await note()
      .getByText(/^The endpoint has worked again since .* 2 events had failed before\./)
      .waitFor();
    await visitor.expectAccessible();
    await note().getByRole('button', { name: 'Resend failed deliveries' }).click();
    await page.getByRole('dialog').getByText('2 deliveries can be sent.').waitFor();
  });

  it('says what has failed of late, why, and what to do about it, each kind once', async () => {
    const id = await owner.endpoint();
    for (const status of [404, 422, 422]) {
      owner.receiver.otherwise(status);
      await owner.deliver(id, {});
    }
    await page.goto(owner.url(`/endpoints/${id}`));
    const failures = page.locator('.failures li');
    await expect.poll(() => failures.count()).toBe(2);
    const [many, missing] = await failures.allTextContents();
    expect(many).toContain('The endpoint answered 422. The server refuses the request.');
    expect(many).toContain('2 of the latest deliveries');
    expect(missing).toContain('The endpoint answered 404. There is nothing at this path.');
    await failures.last().getByRole('link', { name: 'Show the latest' }).click();
    await page.getByRole('heading', { name: 'Attempt 1' }).waitFor();
  });

  it('says why there was no answer', async () => {
    const { id } = await owner.api.subscribers.create({
      url: `http://127.0.0.1:${await freePort()}/`,
      events: ['article.*'],
      owner: 'alice',
    });
    await owner.deliver(id, {});
    await page.goto(owner.url(`/endpoints/${id}`));
    await expect
      .poll(() => page.locator('.failures').textContent())
      .toContain('The endpoint could not be reached. Check the URL, that the server runs');
  });

  it('names the delivery that later ones of its order wait for', async () => {
    const { id } = await owner.api.subscribers.create({
      url: owner.receiver.url,
      events: ['article.*'],
      owner: 'alice',
      ordered: true,
      onExhausted: 'hold',
    });
    owner.receiver.otherwise(500);
    for (const event of ['article.created', 'article.changed']) {
      const terms = { owner: 'alice', orderBy: 'article:1' };
      await owner.api.app.get(WebhookDispatcher).send(event, {}, terms);
    }
    await page.goto(owner.url(`/endpoints/${id}`));
    await page.getByRole('link', { name: 'Show the delivery that they wait for' }).click();
    await page.getByRole('heading', { name: 'article.created' }).waitFor();
    expect(page.url()).toContain('#/deliveries/dlv_');
  });

  it('is in German, and fits into 360 px', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    const id = await failing(0.755);
    await owner.api.subscribers.update(id, { description: HOSTILE }, 'any', { by: HOSTILE });
    await page.goto(owner.url(`/endpoints/${id}`));
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByLabel('Language').selectOption('de');
    await note().getByText('des Wegs zur Abschaltung.').waitFor();
    expect(await note().textContent()).toContain(
      'abgeschaltet, wenn bis dahin keine Anfrage gelingt',
    );
    await page.getByText('Im Server trat bei der Anfrage ein Fehler auf.').waitFor();
    await page.getByRole('heading', { name: 'Änderungen' }).waitFor();
    await page.getByText('GeändertBeschreibung').waitFor();
    await visitor.expectNoOverflow();
    await visitor.expectAccessible();
  });
});

describe('the head of an endpoint', () => {
  it('has its name, host and path, and copies its URL and its id', async () => {
    await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const id = await owner.endpoint({ path: '/orders' });
    await owner.api.subscribers.update(id, { description: 'Warehouse' }, 'any');
    await page.goto(owner.url(`/endpoints/${id}`));
    await page.getByRole('heading', { name: 'Warehouse', level: 1 }).waitFor();
    expect(await page.locator('.lead').textContent()).toContain(`${owner.receiver.url}/orders`);
    const copied = () => page.evaluate<string>('navigator.clipboard.readText()');
    await button('Copy URL').click();
    await expect.poll(copied).toBe(`${owner.receiver.url}/orders`);
    await button('Copy id').click();
    await expect.poll(copied).toBe(id);
  });

  it('shows its health by days, with words', async () => {
    const id = await owner.endpoint();
    await owner.deliver(id, {});
    owner.receiver.otherwise(500);
    await owner.deliver(id, {});
    await page.goto(owner.url(`/endpoints/${id}`));
    const days = page.locator('.health-line li');
    await expect.poll(() => days.count()).toBe(14);
    expect(await days.last().textContent()).toMatch(/: 2 requests, 1 failed$/);
    expect(await days.first().textContent()).toMatch(/: no requests$/);
    expect(await days.last().getAttribute('class')).toBe('part');
    await page.getByText('1 day with failures').waitFor();
  });

  it('colours a day by the share of its attempts that failed', async () => {
    const id = await owner.endpoint();
    await owner.deliver(id, {});
    const shares = [
      [300, 1, 'good'],
      [100, 5, 'part'],
      [100, 64, 'bad'],
    ] as const;
    await page.route('**/stats**', async (route) => {
      const response = await route.fetch();
      const answer = await response.json();
      shares.forEach(([attempts, failedAttempts], at) =>
        Object.assign(answer.days[at], { attempts, failedAttempts }),
      );
      await route.fulfill({ response, json: answer });
    });
    await page.goto(owner.url(`/endpoints/${id}`));
    const days = page.locator('.health-line li');
    await expect.poll(() => days.count()).toBe(14);
    for (const [at, [attempts, failed, tone]] of shares.entries()) {
      expect(await days.nth(at).getAttribute('class')).toBe(tone);
      const words = new RegExp(`: ${attempts} requests, ${failed} failed$`);
      expect(await days.nth(at).getAttribute('title')).toMatch(words);
    }
    await visitor.expectAccessible();
  });
});

describe('the changes of an endpoint', () => {
  const rows = () => page.getByRole('table', { name: 'Changes' }).locator('tbody tr');

  it('are listed with who has made them and with the fields in the words of the form', async () => {
    const id = await owner.endpoint();
    const { subscribers } = owner.api;
    const changes = { description: 'x', events: ['order.paid'], ordered: true, holdFor: null };
    await subscribers.update(id, changes, 'any', { by: HOSTILE });
    await subscribers.rotateSecret(id, { overlap: '1h' }, 'any', { by: 'operator' });
    await page.goto(owner.url(`/endpoints/${id}`));
    await expect.poll(() => rows().count()).toBe(3);
    const [secret, changed, created] = await rows().allTextContents();
    expect(secret).toMatch(/^ChangedSigning secretAn operatornow$/);
    expect(changed).toContain('ChangedEvents, Order, Description<img src=x');
    expect(created).toMatch(/^CreatedThe applicationnow$/);
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.title()).not.toBe('1');
    await visitor.expectAccessible();
    await page.setViewportSize({ width: 360, height: 740 });
    await visitor.expectNoOverflow();
  });

  it('come in pages, to operators as well', async () => {
    const id = await owner.endpoint();
    for (let at = 0; at < 25; at += 1) {
      await owner.api.subscribers.update(id, { description: `${at}` }, 'any', { by: `by-${at}` });
    }
    for (const place of [`/endpoints/${id}`, `/operator/endpoints/${id}`]) {
      await page.goto(owner.url(place));
      await expect.poll(() => rows().count()).toBe(20);
      await page.locator('.section', { has: rows().first() }).getByText('Show more').click();
      await expect.poll(() => rows().count()).toBe(26);
      expect(await rows().first().textContent()).toContain('by-24');
      expect(await rows().last().textContent()).toContain('Created');
    }
  });

  it('are said not to be there', async () => {
    const id = await owner.endpoint();
    await query('DELETE FROM thorn_subscriber_changes');
    await page.goto(owner.url(`/endpoints/${id}`));
    await expect.poll(() => page.getByText('No changes are recorded.').count()).toBe(1);
  });

  it('show at once what the user does', async () => {
    const id = await owner.endpoint();
    await page.goto(owner.url(`/endpoints/${id}`));
    await expect.poll(() => rows().count()).toBe(1);
    await button('Disable').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await note()
      .getByText(/^Disabled on .* by alice\./)
      .waitFor();
    expect(await rows().first().textContent()).toContain('Enabled or disabledalice');
  });
});
