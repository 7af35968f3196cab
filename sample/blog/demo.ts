// Plays a story by itself: a user subscribes a URL, writes an article, and every webhook of it arrives, verified by the
// receiver; also the one that was sent while the receiver was away and the blog was killed. Ends with 0 only if all of
// them did, and nothing else.
import { deepStrictEqual, strictEqual } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Answer, clientOf } from './play/client.js';
import type { Report, Verified } from './play/child.js';
import { Inbox, type Received } from './play/inbox.js';
import { start } from './play/processes.js';
import { TOKENS } from './users/demo-users.js';

const TIME_LIMIT_MS = 60_000;
const IN_TURN = '/in-turn';
const AGENT = '/agent';
const inbox = new Inbox();
/** The requests to the endpoint that asks for an order. */
const inTurn: Verified[] = [];
/** Those to the agent. */
const agent: Verified[] = [];

function onReport(report: Report): void {
  if ('verified' in report && report.path === IN_TURN) inTurn.push(report);
  else if ('verified' in report && report.path === AGENT) agent.push(report);
  else inbox.add(report);
}

// Children end with this process, so leaving is enough.
void setTimeout(TIME_LIMIT_MS, undefined, { ref: false }).then(() =>
  fail(new Error(`the demo took longer than ${TIME_LIMIT_MS} ms`)),
);

const directory = mkdtempSync(join(tmpdir(), 'thorn-demo-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
// In a file, so that it outlives the process.
process.env['BLOG_DATABASE'] = join(directory, 'blog.sqlite');
try {
  await play();
  console.log('\nThe demo is complete: every webhook arrived and was verified.');
} catch (error) {
  fail(error as Error);
}

async function play(): Promise<void> {
  let consumer = await start('consumer', 0, onReport);
  let blog = await start('main', 0);
  console.log(`The blog listens on ${blog.url}, its consumer on ${consumer.url}.`);
  console.log(`Its page for webhooks, until the demo ends: ${blog.url}/sign-in/alice`);
  const alice = clientOf(blog.url, TOKENS.alice);
  const bob = clientOf(blog.url, TOKENS.bob);

  title('Alice subscribes a URL to everything about her articles');
  const url = `${consumer.url}/h/article?u=1`;
  const subscriber = await alice('POST', '/hooks/', { event: 'article.*', url });
  expectStatus(subscriber, 201);
  const { id, secret } = subscriber.body;
  console.log(`  201 ${JSON.stringify({ ...subscriber.body, secret: 'whsec_…' })}`);
  await fetch(`${consumer.url}/secret`, { method: 'PUT', body: String(secret) });

  title('What is refused, with a reason');
  const refused: readonly [object, string][] = [
    [{ event: 'artcle.*', url }, 'a pattern that no event matches'],
    [{ event: 'article.*', url: 'ftp://example.com/' }, 'not http'],
    [{ event: 'article.*', url: 'http://10.0.0.1/h' }, 'a private address'],
    [{ event: 'article.*', url, colour: 'red' }, 'an unknown property'],
  ];
  for (const [body, what] of refused) {
    const answer = await alice('POST', '/hooks/', body);
    expectStatus(answer, 400);
    console.log(`  400 ${what}: ${String(answer.body['detail'])}`);
  }
  expectStatus(await clientOf(blog.url, 'guessed')('GET', '/hooks/'), 401);
  expectStatus(await bob('GET', `/hooks/${String(id)}`), 404);
  console.log('  401 a guessed token; 404 for Bob, who asks for the subscriber of Alice');

  title('Bob writes an article, of which Alice is told nothing');
  expectStatus(await bob('POST', '/articles', { title: 'By Bob', body: 'Mine.' }), 201);

  title('Alice creates an article');
  const created = await alice('POST', '/articles', { title: 'Hello', body: '…', tags: ['news'] });
  expectStatus(created, 201);
  const article = `/articles/${String(created.body['id'])}`;
  await inbox.take(['article.created', 'article.tagged'], 'Hello');

  title('… edits it');
  expectStatus(await alice('PATCH', article, { title: 'Hello, world' }), 200);
  await inbox.take(['article.changed'], 'Hello, world');

  title('… tags it, which changes no column of its own');
  expectStatus(await alice('PATCH', article, { tags: ['news', 'sports'] }), 200);
  const [tagged] = await inbox.take(['article.tagged'], 'Hello, world');
  deepStrictEqual(tagged?.data.tags, ['sports']);

  title('… publishes it: it has the tag “news”, so it is breaking as well');
  expectStatus(await alice('POST', `${article}/publish`), 200);
  await inbox.take(['article.changed', 'article.published', 'article.breaking'], 'Hello, world');

  title('… publishes another one, without tags: a condition keeps it from breaking');
  const quiet = await alice('POST', '/articles', { title: 'Quietly', body: '…' });
  expectStatus(await alice('POST', `/articles/${String(quiet.body['id'])}/publish`), 200);
  await inbox.take(['article.created', 'article.changed', 'article.published'], 'Quietly');

  title('Bob recommends it: an event of a method, sent to the author');
  expectStatus(await bob('POST', `${article}/recommend`), 204);
  await inbox.take(['article.recommended'], 'Hello, world');

  title('Alice recommends it herself, which is no event, nor is what Bob cannot find');
  expectStatus(await alice('POST', `${article}/recommend`), 204);
  expectStatus(await bob('POST', '/articles/999/recommend'), 404);

  title('Alice removes it');
  expectStatus(await alice('DELETE', article), 204);
  await inbox.take(['article.removed'], 'Hello, world');

  title('An endpoint in order fails twice: what happened later waits for its turn');
  const ordered = await alice('POST', '/hooks/', {
    event: 'article.*',
    url: consumer.url + IN_TURN,
    ordered: true,
  });
  expectStatus(ordered, 201);
  await fetch(`${consumer.url}/secret`, { method: 'PUT', body: String(ordered.body['secret']) });
  const turn = await alice('POST', '/articles', { title: 'In turn', body: '…' });
  const inTurnPath = `/articles/${String(turn.body['id'])}`;
  expectStatus(await alice('PATCH', inTurnPath, { title: 'In turn, please' }), 200);
  expectStatus(await alice('POST', `${inTurnPath}/publish`), 200);
  // The other endpoint has them all meanwhile.
  await inbox.take(['article.created'], 'In turn');
  const later = ['article.changed', 'article.changed', 'article.published'];
  await inbox.take(later, 'In turn, please');
  while (inTurn.filter(({ status }) => status === 204).length < 4) await setTimeout(50);
  for (const { verified, sequence, status } of inTurn) {
    console.log(`  ${sequence}. ${(verified as Received).type}: ${status}`);
  }
  deepStrictEqual(
    inTurn.map(({ sequence, status }) => [sequence, status]),
    [...[500, 500, 204].map((status) => [1, status]), [2, 204], [3, 204], [4, 204]],
  );
  expectStatus(await alice('DELETE', `/hooks/${String(ordered.body['id'])}`), 204);

  title('An agent of Alice subscribes at /mcp to what she publishes, and its endpoint agrees');
  const ownSecret = `whsec_${randomBytes(32).toString('base64')}`;
  await fetch(`${consumer.url}/secret`, { method: 'PUT', body: ownSecret });
  const subscription = {
    name: 'article.published',
    arguments: { title: 'For agents' },
    delivery: { mode: 'webhook', url: consumer.url + AGENT, secret: ownSecret },
  };
  const ask = (method: string) =>
    alice('POST', '/mcp', { jsonrpc: '2.0', id: 1, method, params: subscription });
  const { result } = (await ask('events/subscribe')).body as { result: object };
  console.log(`  ${JSON.stringify(result)}`);
  const published = ['article.created', 'article.changed', 'article.published'];
  for (const name of ['For readers', 'For agents']) {
    const { body } = await alice('POST', '/articles', { title: name, body: '…' });
    expectStatus(await alice('POST', `/articles/${String(body['id'])}/publish`), 200);
    await inbox.take(published, name);
  }
  while (agent.length === 0) await setTimeout(50);
  expectStatus(await ask('events/unsubscribe'), 200);
  deepStrictEqual(
    agent.map(({ verified }) => (verified as Received).data.title),
    ['For agents'],
  );

  title('The delivery log has them all');
  const logged = async () =>
    (await alice('GET', `/hooks/${String(id)}/deliveries?status=succeeded&limit=100`)).body[
      'items'
    ] as readonly { event: string }[];
  // It is written in sets, some milliseconds later: who is killed before that sends once more, with the same id.
  while ((await logged()).length < inbox.taken) await setTimeout(50);
  const events = (await logged()).map(({ event }) => event);
  console.log(`  ${events.length} deliveries, the latest first: ${events.join(', ')}`);

  title('An outage: the consumer stops, Alice writes an article, and the blog is killed (-9)');
  await consumer.stop();
  expectStatus(await alice('POST', '/articles', { title: 'In the dark', body: '…' }), 201);
  await blog.kill();
  console.log('  201 for the article; its webhook reached nobody, and nobody is left to send it');

  title('… both start again: the webhook was stored with the article, and arrives');
  consumer = await start('consumer', portOf(consumer.url), onReport);
  await fetch(`${consumer.url}/secret`, { method: 'PUT', body: String(secret) });
  blog = await start('main', portOf(blog.url));
  await inbox.take(['article.created'], 'In the dark');

  // The blog first: it delivers what it still has, so that whatever else might come has come.
  await blog.stop();
  await consumer.stop();
  inbox.assertNothing('rejected', 'unexpected');
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function title(text: string): void {
  console.log(`\n${text}`);
}

function expectStatus(answer: Answer, status: number): void {
  strictEqual(answer.status, status, JSON.stringify(answer.body));
}

function fail(error: Error): never {
  console.error(`\nThe demo failed: ${error.message}`);
  process.exit(1);
}
