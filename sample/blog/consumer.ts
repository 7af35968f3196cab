// Somebody else's program: it knows nothing of the blog but the secret it was given, nor of Thorn, and verifies with
// the package of the Standard Webhooks project.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { endWithParent, tellParent } from './play/child.js';

const secrets = new Set<string>();
/** How some paths behave, whatever is sent to them. */
const BEHAVIOURS: Readonly<Record<string, () => Promise<number>>> = {
  '/newsletter': () => setTimeout(2000, 204),
  '/partner': async () => 503,
  // It works from its third request on.
  '/in-turn': async () => (requests++ < 2 ? 500 : 204),
};
let requests = 0;

const server = createServer((request, response) => {
  const answer = ({ status, body }: Answer) => response.writeHead(status).end(body);
  handle(request).then(answer, (error: Error) => {
    console.log(`  ✗ rejected: ${error.message}`);
    tellParent({ rejected: error.message });
    answer({ status: 401 });
  });
});
server.listen(Number(process.env['PORT'] ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  endWithParent(() => server.close());
  tellParent({ ready: `http://127.0.0.1:${port}` });
});

interface Answer {
  readonly status: number;
  readonly body?: string;
}

async function handle(request: IncomingMessage): Promise<Answer> {
  const body = await read(request);
  if (request.method === 'PUT' && request.url === '/secret') {
    secrets.add(body.trim());
    return { status: 204 };
  }
  if (secrets.size === 0) throw new Error('a webhook came before the secret: PUT it to /secret');
  const message = verified(body, request.headers as Record<string, string>);
  // An agent's endpoint is asked first whether it wants webhooks.
  if (message.type === 'verification') return { status: 200, body };
  const path = request.url ?? '';
  const status = (await BEHAVIOURS[path]?.()) ?? 204;
  const sequence = Number(request.headers['hook-sequence']);
  const event = String(request.headers['hook-event'] ?? message.name);
  console.log(`  ${status} verified ${event}  ${body}`);
  tellParent({ verified: message, path, sequence, status });
  return { status };
}

interface Message {
  readonly type?: string;
  readonly name?: string;
}

/** @throws Error when none of the secrets has signed it */
function verified(body: string, headers: Record<string, string>): Message {
  let fault: unknown;
  for (const secret of secrets) {
    try {
      return new Webhook(secret).verify(body, headers) as Message;
    } catch (error) {
      fault = error;
    }
  }
  throw fault;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
