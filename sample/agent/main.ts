// An agent of one user of the blog. It knows its MCP server and a token of the user, and asks that server for the events
// that it wants. What it gets are webhooks, signed with a secret that it chose.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { endWithParent, tellParent } from '../blog/play/child.js';

const SERVER = process.env['MCP_URL'] ?? 'http://127.0.0.1:3000/mcp';
const TOKEN = process.env['MCP_TOKEN'] ?? '';
const EVENT = 'article.published';
const secret = `whsec_${randomBytes(32).toString('base64')}`;

interface Occurrence {
  /** Of a question of the server, whether this endpoint wants webhooks at all. */
  readonly type?: 'verification';
  readonly eventId: string;
  readonly data: { readonly title: string };
}
interface Subscription {
  readonly refreshBefore: string;
}
interface Events {
  readonly events: readonly { readonly name: string; readonly description?: string }[];
}

const seen = new Set<string>();
const endpoint = createServer((request, response) => {
  receive(request).then(
    (body) => response.writeHead(200).end(body),
    () => response.writeHead(401).end(),
  );
});
await new Promise<void>((resolve) => {
  endpoint.listen(Number(process.env['PORT'] ?? 4000), '127.0.0.1', resolve);
});
const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
const subscription = { name: EVENT, arguments: {}, delivery: { mode: 'webhook', url, secret } };

const { events } = await call<Events>('events/list');
console.log(`  The server offers ${events.map(({ name }) => name).join(', ')}`);
await subscribe();
endWithParent(async () => {
  await call('events/unsubscribe', subscription);
  endpoint.close();
});
tellParent({ ready: url });

/** Again before it ends: a subscription of an agent that is gone does not stay. */
async function subscribe(): Promise<void> {
  const { refreshBefore } = await call<Subscription>('events/subscribe', subscription);
  setTimeout(() => void subscribe(), (Date.parse(refreshBefore) - Date.now()) / 2).unref();
}

async function call<Result>(method: string, params: object = {}): Promise<Result> {
  const response = await fetch(SERVER, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = (await response.json()) as { result?: Result; error?: object };
  if (result === undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
  return result;
}

/** @throws Error when our secret has not signed it */
async function receive(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  const headers = request.headers as Record<string, string>;
  const { type, eventId, data } = new Webhook(secret).verify(body, headers) as Occurrence;
  if (type === 'verification') return body;
  // At least once is the promise, so that the same one may come again.
  if (!seen.has(eventId)) console.log(`  verified ${EVENT}: “${data.title}”`);
  seen.add(eventId);
  return '';
}
