import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PublicRecipientPolicy } from '../recipient-policy/public-recipient-policy.js';
import { UndiciHttpClient } from './undici-http-client.js';
import type { AddressLookup } from '../recipient-policy/system-lookup.js';

const file = (name: string) =>
  readFileSync(new URL(`../../../test/support/fixtures/tls/${name}`, import.meta.url));
const policy = new PublicRecipientPolicy({ allowedPorts: 'any', allowCidrs: ['127.0.0.1/32'] });
const lookup: AddressLookup = (_, __, callback) =>
  callback(null, [{ address: '127.0.0.1', family: 4 }]);
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('UndiciHttpClient over TLS', () => {
  it.each(['hooks.example', '127.0.0.1'])(
    'delivers to %s when an authority that it trusts vouches for it',
    async (host) => {
      const { port, names } = await https('trusted');

      const answer = await post(client([file('authority.pem')]), `https://${host}:${port}/`);

      expect(answer).toMatchObject({ status: 204, address: '127.0.0.1' });
      expect(names).toEqual([host === '127.0.0.1' ? false : host]);
    },
  );

  it.each([
    ['of an unknown authority', 'trusted', []],
    ['that signs itself', 'self-signed', []],
    ['that has expired', 'expired', [file('authority.pem')]],
    ['of another name', 'other-name', [file('authority.pem')]],
  ])('refuses a certificate %s: tls', async (_, name, ca) => {
    const { port, names } = await https(name);

    await expect(post(client(ca), `https://hooks.example:${port}/?q=s3cret`)).rejects.toMatchObject(
      {
        reason: 'tls',
        message: expect.stringMatching(/^No trusted TLS connection could be made \([A-Z_]+\)\.$/),
      },
    );
    expect(names).toHaveLength(0);
  });

  it('refuses them even when the environment switches verification off', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const { port } = await https('expired');

    await expect(
      post(client([file('authority.pem')]), `https://hooks.example:${port}/`),
    ).rejects.toMatchObject({ reason: 'tls' });
  });

  it('says of an endpoint without TLS: tls', async () => {
    const { port } = await listening(createHttpServer((_, response) => response.end()));

    await expect(post(client(), `https://hooks.example:${port}/`)).rejects.toMatchObject({
      reason: 'tls',
    });
  });

  it('says of an endpoint that hangs up in the handshake: connection-reset', async () => {
    const { port } = await listening(
      createTcpServer((socket) => socket.once('data', () => socket.destroy())),
    );

    await expect(post(client(), `https://hooks.example:${port}/`)).rejects.toMatchObject({
      reason: 'connection-reset',
    });
  });

  it('ends a handshake that is never answered at the deadline', async () => {
    const { port } = await listening(createTcpServer(() => {}));
    const began = performance.now();

    await expect(post(client(), `https://hooks.example:${port}/`, 200)).rejects.toMatchObject({
      reason: 'timeout',
    });
    expect(performance.now() - began).toBeLessThan(2500);
  });

  it('ignores the proxies of the environment', async () => {
    let proxied = 0;
    const proxy = await listening(createTcpServer(() => proxied++));
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy']) {
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    }
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    const { port } = await https('trusted');
    const direct = client([file('authority.pem')]);

    expect((await post(direct, `https://hooks.example:${port}/`)).status).toBe(204);
    direct.axios.interceptors.request.use((config) => config);
    expect((await post(direct, `https://hooks.example:${port}/`)).status).toBe(204);
    void direct.axios.defaults;
    expect((await post(direct, `https://hooks.example:${port}/`)).status).toBe(204);
    expect(proxied).toBe(0);
  });
});

function client(ca: Buffer[] = []): UndiciHttpClient {
  const made = new UndiciHttpClient(policy, { lookup, ...(ca.length > 0 ? { tls: { ca } } : {}) });
  cleanups.push(() => made.close());
  return made;
}

function post(posting: UndiciHttpClient, url: string, timeout = 3000) {
  return posting.post({ url, headers: {}, body: Buffer.from('{}'), timeout, keepAlive: true });
}

async function https(name: string) {
  const names: (string | false | null)[] = [];
  const server = createServer(
    { key: file(`${name}.key`), cert: file(`${name}.pem`) },
    (request, response) => {
      names.push((request.socket as TLSSocket & { servername: string | false }).servername);
      response.writeHead(204).end();
    },
  );
  return { ...(await listening(server)), names };
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
