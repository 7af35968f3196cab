import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebhookDispatcher } from '../../lib/index.js';
import { OwnerPage } from '../support/apps/owner-page.js';
import type { PageVisitor } from '../support/page-visitor.js';

let owner: OwnerPage;
let visitor: PageVisitor;

beforeAll(async () => {
  owner = await OwnerPage.start({ retries: { schedule: [] } });
  visitor = await owner.visit();
}, 180_000);
afterAll(async () => {
  await visitor.end();
  await owner.stop();
});

it('shows which delivery holds its key, and which waits for it, until it is retried', async () => {
  const { page } = visitor;
  await owner.api.subscribers.create({
    url: owner.receiver.url,
    events: ['article.*'],
    owner: 'alice',
    ordered: true,
    onExhausted: 'hold',
  });
  owner.receiver.otherwise(500);
  const dispatcher = owner.api.app.get(WebhookDispatcher);
  for (const event of ['article.created', 'article.changed']) {
    await dispatcher.send(event, {}, { owner: 'alice', orderBy: 'article:1' });
  }
  await page.goto(owner.url('/deliveries'));
  const row = (event: string) => page.locator('tbody tr', { hasText: event });
  await row('article.created').getByText('Later events wait for this one').waitFor();
  await row('article.changed').getByText('Waits for an earlier event').waitFor();
  await visitor.expectAccessible();
  await row('article.changed').getByRole('link').click();
  await page.getByText('After an earlier event of the same object').waitFor();
  expect(owner.receiver.received).toHaveLength(1);

  owner.receiver.otherwise(200);
  await page.goto(owner.url('/deliveries'));
  await row('article.created').getByRole('link').click();
  await page.getByRole('button', { name: 'Resend' }).click();
  await page.goto(owner.url('/deliveries'));
  await row('article.changed').getByText('Succeeded').waitFor();
  expect(await page.getByText('Waits for an earlier event').count()).toBe(0);
});
