import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConnectProxy, type ProxyBehaviour } from '../../../test/services/connect-proxy.js';
import { freePort } from '../../../test/services/free-port.js';
import { watchLateness } from '../../../test/services/lateness.js';
import { RecipientRefusedError, ThornConfigurationError } from '../../errors/index.js';
import { parseEgressProxy } from './egress-proxy.js';
import { PublicRecipientPolicy } from '../recipient-policy/public-recipient-policy.js';
import { UndiciHttpClient, type UndiciHttpClientOptions } from './undici-http-client.js';
import type { WebhookRequest } from './webhook-http-client.js';

const file = (name: string) =>
  readFileSync(new URL(`../../../test/support/fixtures/tls/${name}`, import.meta.url));
const authority = file('authority.pem');
const anyPort = new PublicRecipientPolicy({ allowedPorts: 'any' });
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('a client with an egress proxy', () => {
  it('reaches endpoints by CONNECT and keeps the tunnels; names are not looked up here', async () => {
    const seen: IncomingMessage[] = [];
    const { port } = await http((incoming, response) => {
      seen.push(incoming);
      response.end('ok');
    });
    const { proxy, client } = await proxied();
    const url = `http://hooks.example:${port}/a?b=c`;

    for (let count = 0; count < 3; count++) {
      const answer = await client.post(request(url));
      expect(answer).toMatchObject({ status: 200, address: null });
      expect(answer.body.toString()).toBe('ok');
    }

    expect(proxy.asked.map(({ target }) => target)).toEqual([`hooks.example:${port}`]);
    expect(proxy.asked[0]!.headers).not.toHaveProperty('proxy-authorization');
    expect(proxy.others).toBe(0);
    expect(seen[0]!.headers).toEqual({
      host: `hooks.example:${port}`,
      connection: 'keep-alive',
      'content-length': '2',
    });
  });

  it('makes a tunnel of its own for a request without keep-alive, and ends it', async () => {
    const { port } = await http((_, response) => response.end());
    const { proxy, client } = await proxied();

    await client.post(request(`http://hooks.example:${port}/`, { keepAlive: false }));
    await client.post(request(`http://hooks.example:${port}/`, { keepAlive: false }));

    expect(proxy.asked).toHaveLength(2);
    await expect.poll(() => proxy.open).toBe(0);
  });

  it.each([
    ['in the clear', undefined],
    ['over TLS', { key: file('trusted.key'), cert: file('trusted.pem') }],
  ])('speaks TLS with the endpoint itself, through a proxy that is reached %s', async (_, tls) => {
    const { port } = await https('trusted', (_incoming, response) => response.end('safe'));
    const { proxy, client } = await proxied(tls === undefined ? {} : { tls }, {
      tls: { ca: authority },
    });

    const answer = await client.post(request(`https://hooks.example:${port}/`));

    expect(answer.body.toString()).toBe('safe');
    expect(proxy.asked[0]!.target).toBe(`hooks.example:${port}`);
  });

  it.each([
    ['of another name', 'other-name'],
    ['that has expired', 'expired'],
  ])('refuses an endpoint’s certificate %s: tls', async (_, certificate) => {
    const { port } = await https(certificate, (_incoming, response) => response.end());
    const { client } = await proxied({}, { tls: { ca: authority } });

    await expect(client.post(request(`https://hooks.example:${port}/`))).rejects.toMatchObject({
      reason: 'tls',
    });
  });

  it('refuses the certificate of a proxy that nobody vouches for: proxy', async () => {
    const tls = { key: file('self-signed.key'), cert: file('self-signed.pem') };
    const { proxy, client } = await proxied({ tls });

    await expect(client.post(request('http://hooks.example/'))).rejects.toMatchObject({
      reason: 'proxy',
    });
    expect(proxy.asked).toEqual([]);
  });

  it('keeps the rules for URLs, literal addresses among them', async () => {
    const { proxy, client } = await proxied();

    for (const url of [
      'http://10.0.0.1/',
      'http://[::ffff:127.0.0.1]/',
      'http://0x7f.1/',
      'http://localhost/',
      'http://u:p@hooks.example/',
      'http://hooks.example:22/',
    ]) {
      await expect(client.post(request(url))).rejects.toBeInstanceOf(RecipientRefusedError);
    }
    expect(proxy.connections).toBe(0);
  });

  it.each([
    ['https://8.8.8.8/', '8.8.8.8:443'],
    ['http://[2606:4700::1111]/', '[2606:4700::1111]:80'],
  ])('asks for %s by %s', async (url, target) => {
    const { proxy, client } = await proxied({ status: 502 });

    await expect(client.post(request(url))).rejects.toMatchObject({ reason: 'unreachable' });
    expect(proxy.asked.map((asked) => asked.target)).toEqual([target]);
  });

  it.each([
    [403, 'unreachable'],
    [407, 'proxy'],
    [401, 'proxy'],
    [429, 'proxy'],
    [302, 'proxy'],
    [500, 'unreachable'],
    [503, 'unreachable'],
  ])('says of a proxy that answers %i: %s', async (status, code) => {
    const { client } = await proxied({ status });

    await expect(client.post(request('http://hooks.example/'))).rejects.toMatchObject({
      reason: code,
      message: expect.stringContaining(`the proxy answered ${status}`),
    });
  });

  it('sends the credentials of the URL to the proxy alone, and shows them nowhere', async () => {
    const seen: IncomingMessage[] = [];
    const { port } = await http((incoming, response) => {
      seen.push(incoming);
      response.end();
    });
    const proxy = await started({ credentials: 'thorn:p@ss:w0rd' });
    const ofPassword = (password: string) =>
      made({ egressProxy: `http://thorn:${password}@127.0.0.1:${proxy.port}` });

    const answer = await ofPassword('p%40ss%3Aw0rd').post(request(`http://hooks.example:${port}/`));
    const refusal = await ofPassword('wr0ng')
      .post(request('http://hooks.example/'))
      .catch((error: Error) => error);

    expect(answer.status).toBe(200);
    expect(seen[0]!.headers).not.toHaveProperty('proxy-authorization');
    expect(refusal).toMatchObject({ reason: 'proxy' });
    expect(shown(refusal)).not.toMatch(/wr0ng|dGhvcm46/);
  });

  it('says of a proxy that is not there: proxy, with neither its password nor its address', async () => {
    const client = made({ egressProxy: `http://thorn:s3cret@127.0.0.1:${await freePort()}` });

    const refusal = await client.post(request('http://hooks.example/')).catch((error) => error);

    expect(refusal).toMatchObject({ reason: 'proxy', data: { address: null } });
    expect(shown(refusal)).not.toMatch(/s3cret|dGhvcm46/);
  });

  it('says of a proxy that never answers in the handshake: proxy', async () => {
    const server = createTcpServer();
    const { port } = await listening(server);
    const client = made({ egressProxy: `https://127.0.0.1:${port}` });

    await expect(
      client.post(request('http://hooks.example/', { timeout: 200 })),
    ).rejects.toMatchObject({ reason: 'proxy' });
  });

  it.each<[name: string, code: string, ProxyBehaviour]>([
    ['never answers', 'timeout', { answer: () => {} }],
    [
      'drips its answer',
      'timeout',
      {
        answer: (socket) => {
          const timer = setInterval(() => socket.write('H'), 20);
          socket.on('close', () => clearInterval(timer));
          socket.write('HTTP/1.1 200 OK\r\nx: ');
        },
      },
    ],
    ['leads nowhere', 'timeout', { answer: (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n') }],
    ['hangs up', 'proxy', { answer: (socket) => socket.destroy() }],
    ['speaks noise', 'proxy', { answer: (socket) => socket.end(Buffer.alloc(64, 0xfe)) }],
    [
      'sends headers without end',
      'proxy',
      { answer: (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`) },
    ],
    [
      'answers in the endpoint’s place',
      'protocol',
      {
        answer: (socket) =>
          socket.write('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
      },
    ],
  ])('ends in time with a proxy that %s: %s', async (_, code, behaviour) => {
    const { proxy, client } = await proxied(behaviour);
    const timeout = code === 'timeout' ? 400 : 5000;
    const post = () => client.post(request('http://hooks.example/', { timeout }));
    const began = performance.now();
    const lateness = watchLateness();

    const alone = await Promise.allSettled([post()]);

    const took = performance.now() - began;
    expect(took).toBeLessThan(timeout + 200 + lateness());
    const together = performance.now();
    const outcomes = [...alone, ...(await Promise.allSettled(Array.from({ length: 100 }, post)))];
    // How late a busy machine is with a hundred depends on the machine. Without a deadline they would take minutes.
    expect(performance.now() - together).toBeLessThan(10_000);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { reason: code } });
    }
    await expect.poll(() => proxy.open).toBe(0);
  });

  it('keeps to the limits of an answer', async () => {
    const { port } = await http((_, response) => response.end(Buffer.alloc(1_000_000, 'x')));
    const { client } = await proxied();

    const answer = await client.post(request(`http://hooks.example:${port}/`));

    expect(answer).toMatchObject({ status: 200, truncated: true });
    expect(answer.body).toHaveLength(16_384);
  });

  it('serves requests through axios as well', async () => {
    const { port } = await http((_, response) => response.end());
    const { proxy, client } = await proxied();
    client.axios.interceptors.request.use((config) => config);

    expect((await client.post(request(`http://hooks.example:${port}/`))).status).toBe(200);
    expect(proxy.asked).toHaveLength(1);
  });
});

describe('the option egressProxy', () => {
  it.each([
    undefined,
    5,
    '',
    'proxy.example:3128',
    'socks5://proxy.example',
    'http://u:s3cret@proxy.example/path',
    'http://u:s3cret@proxy.example/?a=b',
    'http://u:s3cret%@proxy.example/',
    'http://u:s3cret@proxy.example:0',
  ])('is refused when it is %j, without showing it', (text) => {
    const refusal = (() => {
      try {
        return parseEgressProxy(text);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(ThornConfigurationError);
    expect(shown(refusal)).not.toContain('s3cret');
  });

  it('excludes a look-up', () => {
    expect(() => made({ egressProxy: 'http://proxy.example', lookup: () => {} })).toThrow(
      ThornConfigurationError,
    );
  });

  it.each([
    [
      'http://proxy.example',
      { isSecure: false, host: 'proxy.example', port: 80, authorization: null },
    ],
    ['https://proxy.example', { isSecure: true, port: 443 }],
    ['http://[::1]:3128/', { host: '::1', port: 3128 }],
    [
      'http://token@proxy.example',
      { authorization: `Basic ${Buffer.from('token:').toString('base64')}` },
    ],
  ])('reads %s', (text, expected) => {
    expect(parseEgressProxy(text)).toMatchObject(expected);
  });
});

function shown(error: unknown): string {
  const { message, stack, data, cause } = error as Error & { data: unknown };
  return JSON.stringify([message, stack, data, cause]);
}

async function proxied(behaviour: ProxyBehaviour = {}, options: UndiciHttpClientOptions = {}) {
  const proxy = await started(behaviour);
  const egressProxy = proxy.url;
  return { proxy, client: made({ ...options, egressProxy }) };
}

async function started(behaviour: ProxyBehaviour = {}): Promise<ConnectProxy> {
  const proxy = await ConnectProxy.start(behaviour);
  cleanups.push(() => proxy.stop());
  return proxy;
}

function made(options: UndiciHttpClientOptions): UndiciHttpClient {
  const client = new UndiciHttpClient(anyPort, options);
  cleanups.push(() => client.close());
  return client;
}

function request(url: string, changes: Partial<WebhookRequest> = {}): WebhookRequest {
  return { url, headers: {}, body: Buffer.from('{}'), timeout: 3000, keepAlive: true, ...changes };
}

function http(listener: RequestListener) {
  return listening(createServer(listener));
}

function https(name: string, listener: RequestListener) {
  return listening(
    createSecureServer({ key: file(`${name}.key`), cert: file(`${name}.pem`) }, listener),
  );
}

async function listening(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    cleanups.push(() => socket.destroy());
  });
  cleanups.push(() => server.close());
  return { port: (server.address() as AddressInfo).port };
}
