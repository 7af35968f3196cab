// Somebody else's program: it knows nothing of the blog but the secret it was given, nor of Thorn, and verifies with
// the package of the Standard Webhooks project.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { endWithParent, tellParent } from './play/child.js';

let secret: string | undefined;

const server = createServer((request, response) => {
  const answer = (status: number) => response.writeHead(status).end();
  handle(request).then(answer, (error: Error) => {
    console.log(`  ✗ rejected: ${error.message}`);
    tellParent({ rejected: error.message });
    answer(401);
  });
});
server.listen(Number(process.env['PORT'] ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  endWithParent(() => server.close());
  tellParent({ ready: `http://127.0.0.1:${port}` });
});

async function handle(request: IncomingMessage): Promise<number> {
  const body = await read(request);
  if (request.method === 'PUT' && request.url === '/secret') {
    secret = body.trim();
    return 204;
  }
  if (secret === undefined) throw new Error('a webhook came before the secret: PUT it to /secret');
  const message = new Webhook(secret).verify(body, request.headers as Record<string, string>);
  console.log(`  ✓ verified ${String(request.headers['hook-event'])}  ${body}`);
  tellParent({ verified: message });
  return 204;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
