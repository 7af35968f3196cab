import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import {
  AttemptError,
  PublicRecipientPolicy,
  RecipientPolicy,
  type WebhookHttpClient,
  type WebhookRequest,
} from '../../delivery/index.js';
import { RecipientRefusedError } from '../../errors/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../scripted-receiver.js';
import type { TestRunner } from './test-runner.js';

/** The implementation under test. */
export interface WebhookHttpClientUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** Creates a client with this policy. */
  makeClient(policy: RecipientPolicy): WebhookHttpClient;
}

const ANSWER_LIMIT = 16_384;
const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'ALL_PROXY'];

/** Defines the tests that every {@link WebhookHttpClient} must pass; real servers on loopback answer it. */
export function webhookHttpClientConformance(
  { name, makeClient }: WebhookHttpClientUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (
    title: string,
    body: (client: WebhookHttpClient, receiver: ScriptedReceiver) => Promise<void>,
    policy: RecipientPolicy = new PublicRecipientPolicy(LOOPBACK_RECIPIENTS),
  ) =>
    it(title, async () => {
      const receiver = await ScriptedReceiver.start();
      const client = makeClient(policy);
      try {
        await body(client, receiver);
      } finally {
        await receiver.stop();
        await client.close();
      }
    });

  describe(`${name}: every HTTP client`, () => {
    test('posts the bytes and the headers as they are', async (client, receiver) => {
      const body = Buffer.from('{"title":"Grüße","bytes":"\u0000"}');
      const headers = { 'X-Tenant': 'acme, inc', 'Content-Type': 'application/json' };
      await client.post(request(`${receiver.url}/a%20b?x=1&y=%C3%BC`, { body, headers }));

      const [webhook] = receiver.received;
      expect([webhook!.method, webhook!.path]).toEqual(['POST', '/hooks/a%20b?x=1&y=%C3%BC']);
      expect(webhook!.body.equals(body)).toBe(true);
      expect(webhook!.headers).toMatchObject({
        'x-tenant': 'acme, inc',
        'content-type': 'application/json',
        'content-length': String(body.length),
      });
    });

    test('resolves for any status, and follows no redirect', async (client, receiver) => {
      const statuses = [200, 204, 301, 302, 307, 308, 400, 401, 407, 410, 429, 500, 503];
      const headers = { Location: '/elsewhere', 'Retry-After': '7' };
      receiver.answer(...statuses.map((status) => ({ status, headers })));
      for (const status of statuses) {
        const answer = await client.post(request(receiver.url));
        expect([answer.status, answer.headers['retry-after']]).toEqual([status, '7']);
      }
      expect(receiver.received.filter(({ path }) => path !== '/hooks')).toEqual([]);
    });

    test('returns at most 16 KiB of the response', async (client, receiver) => {
      const exact = Buffer.alloc(ANSWER_LIMIT, 'a');
      const long = Buffer.concat([exact, Buffer.alloc(1_000_000, 'b')]);
      receiver.answer({ body: 'thank you' }, { body: exact }, { body: long });

      const short = await client.post(request(receiver.url));
      expect([short.body.toString(), short.truncated]).toEqual(['thank you', false]);
      const full = await client.post(request(receiver.url));
      expect([full.body.equals(exact), full.truncated]).toEqual([true, false]);
      const cut = await client.post(request(receiver.url));
      expect([cut.body.equals(exact), cut.truncated]).toEqual([true, true]);
    });

    test('passes the refusal of a URL on, and does not connect', async (client, receiver) => {
      const url = receiver.url.replace('http:', 'ftp:');
      expect(await failureOf(client.post(request(url)))).toBe('refused protocol');
      expect(receiver.connections).toBe(0);
    });

    for (const host of ['127.0.0.1', 'localhost']) {
      test(
        `asks the policy for the address that ${host} stands for before it is dialled`,
        async (client, receiver) => {
          const url = receiver.url.replace('127.0.0.1', host);
          expect(await failureOf(client.post(request(url)))).toBe('refused test');
          expect(receiver.connections).toBe(0);
        },
        new RefusesAddresses(),
      );
    }

    test('uses the policy of a request in place of the client’s', async (client, receiver) => {
      const policy = new RefusesAddresses();
      // In both orders: a client with one policy must not use a connection that another policy has allowed.
      expect((await client.post(request(receiver.url))).status).toBe(204);
      expect(await failureOf(client.post(request(receiver.url, { policy })))).toBe('refused test');
      expect((await client.post(request(receiver.url))).status).toBe(204);
      expect(receiver.received).toHaveLength(2);
    });

    test('keeps connections alive, unless the request says otherwise', async (client, receiver) => {
      for (let i = 0; i < 4; i++) await client.post(request(receiver.url));
      expect(receiver.connections).toBe(1);
      for (let i = 0; i < 3; i++) await client.post(request(receiver.url, { keepAlive: false }));
      expect(receiver.connections).toBe(4);
    });

    test('ends at the timeout without a response', async (client, receiver) => {
      receiver.otherwise('hang');
      const { code, took } = await timed(() =>
        client.post(request(receiver.url, { timeout: 150 })),
      );
      expect([code, took >= 140]).toEqual(['timeout', true]);
    });

    test('ends at the timeout when the response trickles in', async (client) => {
      const server = createHttpServer((_, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write('.'), 20);
        response.on('close', () => clearInterval(timer));
      });
      await listening(server, async (url) => {
        const { code, took } = await timed(() => client.post(request(url, { timeout: 150 })));
        expect([code, took >= 140]).toEqual(['timeout', true]);
      });
    });

    test('reports a refused or reset connection, and a response that is not HTTP', async (client, receiver) => {
      expect(await failureOf(client.post(request(await closedPort())))).toBe('connection-refused');
      receiver.answer('reset');
      expect(await failureOf(client.post(request(receiver.url)))).toBe('connection-reset');
      const server = createTcpServer((socket) => {
        socket
          .on('error', () => {})
          .resume()
          .end('220 mail.example.com ESMTP\r\n');
      });
      await listening(server, async (url) => {
        expect(await failureOf(client.post(request(url)))).toBe('protocol');
      });
    });

    test('gives each of many requests its own response, however the others end', async (client, receiver) => {
      receiver.otherwise(({ path }) => {
        const index = Number(path.slice('/hooks/'.length));
        if (index % 7 === 3) return 'reset';
        if (index % 7 === 5) return { body: path, delay: 30 };
        return { body: path };
      });
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          client.post(request(`${receiver.url}/${index}`)).then(
            ({ body }) => body.toString(),
            (error: unknown) => codeOf(error),
          ),
        ),
      );
      expect(answers).toEqual(
        answers.map((_, index) => (index % 7 === 3 ? 'connection-reset' : `/hooks/${index}`)),
      );
    });

    test('serves other endpoints while one hangs', async (client, receiver) => {
      const other = await ScriptedReceiver.start();
      receiver.otherwise('hang');
      let ended = 0;
      const hanging = Array.from({ length: 200 }, () =>
        failureOf(client.post(request(receiver.url, { timeout: 60_000 }))).finally(() => ended++),
      );
      const { status } = await client.post(request(other.url, { timeout: 60_000 }));
      expect([status, ended]).toEqual([204, 0]);
      await other.stop();
      await receiver.stop();
      expect(await Promise.all(hanging)).not.toContain('no failure');
    });

    test('ignores the proxy settings of the environment', async (client, receiver) => {
      const before = PROXY_VARIABLES.map((variable) => [variable, process.env[variable]] as const);
      const proxy = await ScriptedReceiver.start();
      for (const variable of PROXY_VARIABLES) process.env[variable] = new URL(proxy.url).origin;
      try {
        expect((await client.post(request(receiver.url))).status).toBe(204);
        expect(proxy.connections).toBe(0);
      } finally {
        for (const [variable, value] of before) {
          if (value === undefined) delete process.env[variable];
          else process.env[variable] = value;
        }
        await proxy.stop();
      }
    });

    test('posts nothing once it is closed, and may be closed again', async (client, receiver) => {
      await client.post(request(receiver.url));
      await client.close();
      await client.close();
      await expect(client.post(request(receiver.url))).rejects.toThrow();
      expect(receiver.received).toHaveLength(1);
    });

    test('lets pending requests end before it closes', async (client, receiver) => {
      receiver.answer({ status: 202, delay: 50 });
      const posting = client.post(request(receiver.url));
      await receiver.waitFor(1);
      const closing = client.close();
      expect((await posting).status).toBe(202);
      await closing;
    });
  });
}

class RefusesAddresses extends RecipientPolicy {
  override checkUrl(url: string): URL {
    return new URL(url);
  }

  override checkAddress(address: string): void {
    throw new RecipientRefusedError('test', 'no address is allowed', { address });
  }
}

function request(url: string, different: Partial<WebhookRequest> = {}): WebhookRequest {
  const body = Buffer.from('{}');
  return { url, headers: {}, body, timeout: 5000, keepAlive: true, ...different };
}

async function failureOf(posting: Promise<unknown>): Promise<string> {
  try {
    await posting;
    return 'no failure';
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof RecipientRefusedError) return `refused ${error.reason}`;
  return error instanceof AttemptError ? error.reason : `another error: ${String(error)}`;
}

async function timed(post: () => Promise<unknown>): Promise<{ code: string; took: number }> {
  // Measured before the call, because a busy machine may spend much time inside it.
  const start = performance.now();
  const code = await failureOf(post());
  return { code, took: performance.now() - start };
}

async function listening(
  server: ReturnType<typeof createTcpServer>,
  body: (url: string) => Promise<void>,
): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    if ('closeAllConnections' in server)
      (server as { closeAllConnections(): void }).closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Returns a URL without a server. */
async function closedPort(): Promise<string> {
  let url = '';
  await listening(createTcpServer(), async (open) => void (url = open));
  return url;
}
