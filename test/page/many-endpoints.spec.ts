import type { Page } from 'playwright-core';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  it,
  vi,
} from 'vitest';
import { Deliveries, WebhookDispatcher } from '../../lib/index.js';
import { failingFirst } from '../../page/core/failing-first.js';
import type { EndpointPage } from '../../page/core/model.js';
import { AnybodyGuard } from '../support/apps/api-app.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import { OPERATOR_SCREENS, OWNER_SCREENS, screenPath } from '../support/page-screens.js';
import { PageVisitor } from '../support/page-visitor.js';

const MANY = 200;
const MOST_REQUESTS = 5;

let owner: OwnerPage;
let visitor: PageVisitor;
let page: Page;
/** The ids of the endpoints, of which the last but one fails and the last one waits for its challenge. */
const ids: string[] = [];
let delivery: string;
let message: string;

beforeAll(async () => {
  owner = await OwnerPage.start({ operatorApi: { guards: [AnybodyGuard] } });
  for (let at = 0; at < MANY; at += 1) {
    ids.push(await owner.endpoint({ path: `/endpoint-${at}`, events: ['article.created'] }));
  }
  const [failing, unverified] = [`/endpoint-${MANY - 2}`, `/endpoint-${MANY - 1}`];
  owner.receiver.otherwise(({ path }) =>
    path.endsWith(failing) || path.endsWith(unverified) ? 500 : 200,
  );
  await owner.api.app.get(WebhookDispatcher).send('article.created', {}, { owner: 'alice' });
  const deliveries = owner.api.app.get(Deliveries);
  await vi.waitFor(async () => expect((await deliveries.stats()).pending).toBe(2), {
    timeout: inject('patience'),
  });
  const terms = { isChallenged: true };
  const moved = { url: `${owner.receiver.url.replace('127.0.0.1', 'localhost')}/moved` };
  await owner.api.subscribers.update(ids[MANY - 1]!, moved, 'any', terms);
  const { items } = await deliveries.list({ subscriberId: ids[MANY - 2]! }, 'any');
  delivery = items[0]!.id;
  message = items[0]!.messageId;
}, 180_000);
afterAll(() => owner.stop());
beforeEach(async () => {
  visitor = await PageVisitor.start(owner.browser);
  page = visitor.page;
});
afterEach(() => visitor.end());

const rowOf = (text: string) => page.locator('tbody tr').filter({ hasText: text });

describe('with 200 endpoints', () => {
  it.each([...OWNER_SCREENS, ...OPERATOR_SCREENS])(
    '%s takes five requests at most',
    async (path) => {
      // What is read again after some seconds is the same.
      const asked = new Set<string>();
      page.on('request', (request) => {
        if (request.url().includes('/hooks')) asked.add(request.url());
      });
      await page.goto(owner.url(screenPath(path, { id: ids[MANY - 2]!, delivery, message })));
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.locator('.skeleton').first().waitFor({ state: 'detached' });
      await page.waitForLoadState('networkidle');
      expect(asked.size, [...asked].join('\n')).toBeLessThanOrEqual(MOST_REQUESTS);
    },
  );

  it('calls one that fails failing, wherever it stands', async () => {
    await page.goto(owner.url('/'));
    await rowOf('/endpoint-198').getByText('Failing').waitFor();
    await page.getByText('10 endpoints are shown').waitFor();

    await page.goto(owner.url('/endpoints'));
    // It is first, before the others, of which a page has 100.
    await expect.poll(() => page.locator('tbody tr').count()).toBe(101);
    await page.locator('tbody tr').first().getByText('Failing').waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText(`${MANY} in all`).waitFor();
    expect(await rowOf('/endpoint-198').count()).toBe(1);
    await rowOf('/endpoint-198')
      .getByText(/^every attempt since /)
      .waitFor();
    await page.getByRole('combobox', { name: 'State' }).selectOption('Failing');
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
    await visitor.expectAccessible();
    await page.getByRole('combobox', { name: 'State' }).selectOption('Unverified');
    await rowOf('/moved').getByText('Unverified').waitFor();

    await page.goto(owner.url('/deliveries?status=pending'));
    await rowOf('/endpoint-198').waitFor();
  });

  it('leads operators to the delivery that is late for the longest time', async () => {
    const oldestDue = Date.now() - 7_200_000;
    await page.route('**/overview', async (route) => {
      const response = await route.fetch();
      const overview = await response.json();
      await route.fulfill({ response, json: { ...overview, oldestDue, oldestDelivery: delivery } });
    });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(owner.url('/operator'));
    await page.getByText(/The oldest delivery was due 2 hr\.? ago\./).waitFor();
    await visitor.expectNoOverflow();
    await page.getByRole('link', { name: 'Show this delivery' }).click();
    await page.getByRole('heading', { name: 'article.created' }).waitFor();
    expect(page.url()).toContain(`/operator/deliveries/${delivery}`);
  });

  it('tells operators which fail and which are unverified', async () => {
    await page.goto(owner.url('/operator'));
    const failing = page.getByRole('table', { name: 'Failing endpoints' });
    await failing.getByRole('row', { name: /endpoint-198.*Failing/ }).waitFor();
    await failing.getByRole('row', { name: /moved.*Unverified/ }).waitFor();
    expect(await failing.getByText('Active').count()).toBe(0);
    await visitor.expectAccessible();

    await page.goto(owner.url('/operator/endpoints'));
    await expect.poll(() => page.locator('tbody tr').count()).toBe(51);
    await page.locator('tbody tr').first().getByText('Failing').waitFor();
    for (const rows of [101, 151, MANY]) {
      await page.getByRole('button', { name: 'Show more' }).click();
      await expect.poll(() => page.locator('tbody tr').count()).toBe(rows);
    }
    expect(await rowOf('/endpoint-198').count()).toBe(1);

    await page.goto(owner.url('/operator/endpoints?q=endpoint-198'));
    await rowOf('/endpoint-198').getByText('Failing').waitFor();
    await visitor.expectAccessible();
    await page.getByRole('link', { name: '/endpoint-198' }).click();
    await page.locator('.lead').getByText('Failing').waitFor();
    await page
      .locator('.lead')
      .getByText(/^every attempt since /)
      .waitFor();
    await visitor.expectAccessible();
    await page.goto(owner.url('/operator/endpoints?q=moved'));
    await rowOf('/moved').getByText('Unverified').waitFor();
  });
});

it('leaves endpoints that fail far down a long list in their place, each once', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const failing = new Set(['b', 'f']);
  // Like the API, it looks at two at a time.
  const read = async ({ state, after = '' }: { state?: string; after?: string }) => {
    const rest = names.filter((id) => id > String(after));
    const items = rest
      .slice(0, 2)
      .map((id) => ({ id, state: failing.has(id) ? 'failing' : 'active' }))
      .filter((one) => state === undefined || one.state === state);
    return { items, next: rest.length > 2 ? rest[1]! : null } as unknown as EndpointPage;
  };
  const seen: string[] = [];
  let after: string | null = '';
  do {
    const page: EndpointPage = await failingFirst(read, after);
    seen.push(...page.items.map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  expect(seen).toEqual(['b', 'a', 'c', 'd', 'e', 'f']);
});
