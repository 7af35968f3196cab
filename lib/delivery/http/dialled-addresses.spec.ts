import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BROKEN_ADDRESSES,
  GOOD_ADDRESSES,
  HOSTILE_ADDRESSES,
  HOSTILE_URLS,
} from '../../../test/support/fixtures/recipients.js';
import { TcpSpy } from '../../../test/services/tcp-spy.js';
import { RecipientRefusedError } from '../../errors/index.js';
import { PublicRecipientPolicy } from '../recipient-policy/public-recipient-policy.js';
import { UndiciHttpClient, type UndiciHttpClientOptions } from './undici-http-client.js';
import type { WebhookRequest } from './webhook-http-client.js';
import type { AddressLookup } from '../recipient-policy/system-lookup.js';

const hostile = HOSTILE_URLS.flatMap(([, urls]) => urls);
const policy = new PublicRecipientPolicy({ allowedPorts: 'any' });
// 127.0.0.1 stands for the public internet, 127.0.0.9 for what is behind our own firewall.
const internet = new PublicRecipientPolicy({ allowedPorts: 'any', allowCidrs: ['127.0.0.1/32'] });

/** Lets every URL pass, so that the addresses alone stand between it and the network. */
class AddressesAlone extends PublicRecipientPolicy {
  override checkUrl(url: string): URL {
    return new URL(url);
  }
}

const cleanups: (() => unknown)[] = [];
let spy: TcpSpy;

beforeEach(() => {
  spy = new TcpSpy();
});

afterEach(async () => {
  spy.stop();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('no connection is begun', () => {
  it('to any hostile URL', async () => {
    expect(hostile.length).toBeGreaterThan(150);
    const posting = client(new PublicRecipientPolicy());

    for (const url of hostile) {
      await expect(posting.post(request(url)), url).rejects.toBeInstanceOf(RecipientRefusedError);
    }
    expect(spy.dialled).toEqual([]);
  });

  it('to any hostile URL that an interceptor puts in', async () => {
    const posting = client(new PublicRecipientPolicy());
    let next = '';
    posting.axios.interceptors.request.use((config) => ({ ...config, url: next }));

    for (next of hostile) {
      await expect(posting.post(request('https://example.com/')), next).rejects.toThrow(Error);
    }
    expect(spy.dialled).toEqual([]);
  });

  it('to an address in a URL, though a careless policy lets all URLs pass', async () => {
    const posting = client(new AddressesAlone({ allowedPorts: 'any' }));

    for (const address of HOSTILE_ADDRESSES) {
      const host = address.includes(':') ? `[${address}]` : address;
      await expect(posting.post(request(`http://${host}/`)), address).rejects.toMatchObject({
        code: 'THORN_RECIPIENT_REFUSED',
      });
    }
    expect(spy.dialled).toEqual([]);
  });

  it.each([
    ['alone', (address: string) => [address]],
    ['after a public one', (address: string) => ['8.8.8.8', address]],
    ['before a public one', (address: string) => [address, '2606:4700::1111']],
    ['among many', (address: string) => [...GOOD_ADDRESSES, address, ...GOOD_ADDRESSES]],
  ])('when a name resolves to a forbidden address %s', async (_, answer) => {
    for (const address of [...HOSTILE_ADDRESSES, ...BROKEN_ADDRESSES]) {
      for (const protocol of ['http', 'https']) {
        const posting = client(policy, { lookup: answers(answer(address)) });
        const outcome = posting.post(request(`${protocol}://hooks.example/`));
        await expect(outcome, JSON.stringify(address)).rejects.toBeInstanceOf(
          RecipientRefusedError,
        );
      }
    }
    expect(spy.dialled).toEqual([]);
  });

  it('when a resolver says neither null nor that something is wrong', async () => {
    const outside = await http((_, response) => response.end());
    const casual =
      (address: string): AddressLookup =>
      (_host, _options, callback) =>
        callback(undefined as unknown as null, [{ address, family: 4 }]);
    const post = request(`http://hooks.example:${outside.port}/`);

    const inner = client(internet, { lookup: casual('127.0.0.9') });
    await expect(inner.post(post)).rejects.toBeInstanceOf(RecipientRefusedError);
    const outer = client(internet, { lookup: casual('127.0.0.1') });
    expect((await outer.post(post)).status).toBe(200);
    expect(spy.dialled).toEqual(['127.0.0.1']);
  });

  it('to what a name resolves to later, nor to what it resolved to before', async () => {
    const outside = await http((_, response) => response.end());
    const inside = await tcp('127.0.0.9', outside.port);
    const turns = [
      ['127.0.0.1'],
      ['127.0.0.9'],
      ['127.0.0.1', '127.0.0.9'],
      ['127.0.0.1'],
      ['::1'],
      ['127.0.0.9', '127.0.0.1'],
      ['127.0.0.1'],
    ];
    let turn = -1;
    const lookup: AddressLookup = (host, options, callback) =>
      answers(turns[++turn % turns.length]!)(host, options, callback);
    const posting = client(internet, { lookup });

    const outcomes: string[] = [];
    for (let count = 0; count < turns.length * 3; count++) {
      const post = request(`http://rebinds.example:${outside.port}/`, { keepAlive: false });
      outcomes.push(
        await posting.post(post).then(
          ({ status }) => String(status),
          (error: RecipientRefusedError) => error.reason,
        ),
      );
    }

    expect(outcomes.filter((outcome) => outcome === '200')).toHaveLength(9);
    expect(outcomes.filter((outcome) => outcome === 'loopback-address')).toHaveLength(12);
    expect(new Set(spy.dialled)).toEqual(new Set(['127.0.0.1']));
    expect(spy.dialled).toHaveLength(9);
    expect(inside.connections).toBe(0);
  });

  it('to what changes between the look-up that was judged and the connection', async () => {
    const outside = await http((_, response) => response.end());
    const inside = await tcp('127.0.0.9', outside.port);
    let lookups = 0;
    // A second look-up, by whomever, would get the other answer.
    const lookup: AddressLookup = (host, options, callback) =>
      answers([lookups++ % 2 === 0 ? '127.0.0.1' : '127.0.0.9'])(host, options, callback);
    const posting = client(internet, { lookup });

    const answer = await posting.post(request(`http://flips.example:${outside.port}/`));

    expect(answer).toMatchObject({ status: 200, address: '127.0.0.1' });
    expect(lookups).toBe(1);
    expect(spy.dialled).toEqual(['127.0.0.1']);
    expect(inside.connections).toBe(0);
  });

  it.each([301, 302, 303, 307, 308])('to where an answer of %i leads', async (status) => {
    const inside = await tcp('127.0.0.9');
    const outside = await http((_, response) =>
      response.writeHead(status, { location: `http://127.0.0.9:${inside.port}/` }).end(),
    );
    const posting = client(internet);
    const customised = client(internet);
    customised.axios.interceptors.response.use((response) => response);

    for (const each of [posting, customised]) {
      expect((await each.post(request(outside.origin))).status).toBe(status);
    }
    expect(new Set(spy.dialled)).toEqual(new Set(['127.0.0.1']));
    expect(inside.connections).toBe(0);
  });

  it('under a policy of one event because another’s let a connection be made', async () => {
    const outside = await http((_, response) => response.end());
    const posting = client(internet);
    const strict = new PublicRecipientPolicy({ allowedPorts: 'any' });
    const url = `http://hooks.example:${outside.port}/`;
    const kept = client(internet, { lookup: answers(['127.0.0.1']) });

    expect((await kept.post(request(url))).status).toBe(200);
    await expect(kept.post(request(url, { policy: strict }))).rejects.toBeInstanceOf(
      RecipientRefusedError,
    );
    await expect(posting.post(request(outside.origin, { policy: strict }))).rejects.toBeInstanceOf(
      RecipientRefusedError,
    );
    expect(spy.dialled).toHaveLength(1);
  });
});

describe('a connection is begun', () => {
  it.each(GOOD_ADDRESSES)('to %s', async (address) => {
    const posting = client(policy, { lookup: answers([address]) });

    const ended = posting.post(request('http://hooks.example/')).catch(() => {});

    // Whether it comes about depends on the network: what counts is that nothing here keeps it from it.
    await expect.poll(() => spy.dialled).toContain(address);
    posting.abort();
    await ended;
  });
});

function client(judge: PublicRecipientPolicy, options: UndiciHttpClientOptions = {}) {
  const made = new UndiciHttpClient(judge, options);
  cleanups.push(() => made.close());
  return made;
}

function request(url: string, changes: Partial<WebhookRequest> = {}): WebhookRequest {
  return { url, headers: {}, body: Buffer.from('{}'), timeout: 2000, keepAlive: true, ...changes };
}

function answers(addresses: readonly string[]): AddressLookup {
  return (_, __, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
}

function http(listener: RequestListener) {
  return listening(createServer(listener), '127.0.0.1', 0);
}

function tcp(address: string, port = 0) {
  return listening(createTcpServer(), address, port);
}

async function listening(server: Server, address: string, wanted: number) {
  const found = { connections: 0, port: 0, origin: '' };
  server.on('connection', (socket) => {
    found.connections++;
    cleanups.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(wanted, address, resolve));
  cleanups.push(() => server.close());
  found.port = (server.address() as AddressInfo).port;
  found.origin = `http://${address}:${found.port}`;
  return found;
}
