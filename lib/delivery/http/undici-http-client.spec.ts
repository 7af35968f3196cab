import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { watchLateness } from '../../../test/services/lateness.js';
import { freePort } from '../../../test/services/free-port.js';
import { RecipientRefusedError } from '../../errors/index.js';
import { AttemptError } from '../attempt/attempt.js';
import { PublicRecipientPolicy } from '../recipient-policy/public-recipient-policy.js';
import { UndiciHttpClient, type UndiciHttpClientOptions } from './undici-http-client.js';
import type { WebhookRequest } from './webhook-http-client.js';
import type { AddressLookup } from '../recipient-policy/system-lookup.js';

const local = new PublicRecipientPolicy({
  allowedPorts: 'any',
  allowCidrs: ['127.0.0.1/32', '127.0.0.2/32', '::1/128'],
});
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('UndiciHttpClient', () => {
  it('posts the bytes and the headers as they are, and hands the answer back', async () => {
    const seen: { request: IncomingMessage; body: Buffer }[] = [];
    const { origin } = await http(async (request, response) => {
      seen.push({ request, body: Buffer.concat(await request.toArray()) });
      response.writeHead(202, { 'X-One': '1', 'Set-Cookie': ['a=1', 'b=2'] }).end('thank you');
    });
    const body = Buffer.from('{"title":"Grüße","n":1}');

    const answer = await client().post(
      request(`${origin}/hooks/a%20b?x=1&y=%C3%BC`, {
        body,
        headers: { 'X-Tenant': 'acme', 'Content-Type': 'application/json' },
      }),
    );

    expect(answer).toMatchObject({ status: 202, truncated: false, address: '127.0.0.1' });
    expect(answer.body.toString()).toBe('thank you');
    expect(answer.headers).toMatchObject({ 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] });
    expect(seen[0]!.request).toMatchObject({ method: 'POST', url: '/hooks/a%20b?x=1&y=%C3%BC' });
    expect(seen[0]!.body).toEqual(body);
    expect(seen[0]!.request.headers).toEqual({
      host: origin.slice('http://'.length),
      connection: 'keep-alive',
      'x-tenant': 'acme',
      'content-type': 'application/json',
      'content-length': String(body.length),
    });
  });

  it.each([200, 204, 301, 302, 307, 400, 401, 404, 410, 429, 500, 503, 599])(
    'resolves with status %i and follows nothing',
    async (status) => {
      const paths: (string | undefined)[] = [];
      const { origin } = await http((incoming, response) => {
        paths.push(incoming.url);
        response.writeHead(status, { location: '/elsewhere', 'retry-after': '7' }).end();
      });

      const answer = await client().post(request(`${origin}/here`));

      expect(answer.status).toBe(status);
      expect(answer.headers['retry-after']).toBe('7');
      expect(paths).toEqual(['/here']);
    },
  );

  it('keeps the connection of an origin for the next request, and makes one of its own when told so', async () => {
    const { origin, sockets } = await http((_, response) => response.end('ok'));
    const posting = client();

    for (let count = 0; count < 5; count++) await posting.post(request(origin));
    expect(sockets).toHaveLength(1);

    for (let count = 0; count < 3; count++) {
      await posting.post(request(origin, { keepAlive: false }));
    }
    expect(sockets).toHaveLength(4);
    await posting.post(request(origin));
    await expect.poll(() => sockets.filter((socket) => !socket.destroyed).length).toBeLessThan(2);
  });

  it('closes an unused connection in time, whatever the endpoint says of keeping it', async () => {
    const { origin, sockets } = await http((_, response) =>
      response.writeHead(200, { connection: 'keep-alive', 'keep-alive': 'timeout=600' }).end(),
    );
    const posting = client({ keepAliveTimeout: 100 });

    await posting.post(request(origin));

    await expect.poll(() => sockets[0]!.destroyed, { timeout: 4000 }).toBe(true);
  });

  it('opens no more connections to one origin than it may, and serves who waits', async () => {
    let inFlight = 0;
    let most = 0;
    const { origin, sockets } = await http((_, response) => {
      most = Math.max(most, ++inFlight);
      setTimeout(() => {
        inFlight--;
        response.end();
      }, 5);
    });
    const posting = client({ connections: 4 });

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        posting.post(request(origin, { keepAlive: at % 5 !== 0 })),
      ),
    );

    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(most).toBe(4);
    expect(sockets.length).toBeLessThanOrEqual(44);
  });

  it('dials again after the endpoint has closed a kept connection', async () => {
    const { origin, sockets } = await http((_, response) => response.end());
    const posting = client();
    await posting.post(request(origin));
    sockets[0]!.destroy();
    await expect.poll(() => sockets[0]!.closed).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));

    expect((await posting.post(request(origin))).status).toBe(200);
    expect(sockets).toHaveLength(2);
  });

  it('goes on with endpoints that close after each answer', async () => {
    const { origin, sockets } = await http((_, response) =>
      response.setHeader('connection', 'close').end('bye'),
    );
    const posting = client({ connections: 2 });

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => posting.post(request(origin))),
    );

    expect(answers.every(({ body }) => body.toString() === 'bye')).toBe(true);
    expect(sockets).toHaveLength(20);
  });

  it('reads the answer up to its limit and drops the connection there', async () => {
    const { origin, sockets } = await http((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });

    const answer = await client().post(request(origin));

    expect(answer).toMatchObject({ status: 200, truncated: true });
    expect(answer.body).toEqual(Buffer.alloc(16_384, 'x'));
    await expect.poll(() => sockets[0]!.destroyed).toBe(true);
  });

  it.each([
    [16_384, false],
    [16_385, true],
  ])('says of an answer of %i bytes whether it was cut: %s', async (length, truncated) => {
    const { origin } = await http((_, response) => response.end(Buffer.alloc(length, 'y')));

    const answer = await client().post(request(origin));

    expect(answer).toMatchObject({ status: 200, truncated });
    expect(answer.body).toHaveLength(16_384);
  });

  it('keeps answers of many reads and of several connections apart', async () => {
    const bodyOf = (url: string) => Buffer.alloc(12_000, `${url}|`);
    const { origin } = await http((incoming, response) => {
      const body = bodyOf(incoming.url!);
      response.write(body.subarray(0, 5000));
      setImmediate(() => response.end(body.subarray(5000)));
    });
    const posting = client();
    const paths = Array.from({ length: 40 }, (_, number) => `/hooks/${number}`);

    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(
        paths.map((path) => posting.post(request(`${origin}${path}`))),
      );

      expect(answers.map(({ body }) => body.toString())).toEqual(
        paths.map((path) => bodyOf(path).toString()),
      );
    }
  });

  it('reads a long answer whole when its limit allows it', async () => {
    const body = Buffer.alloc(1_000_000, 'a long answer|');
    const { origin } = await http((_, response) => response.end(body));

    const answer = await client({ maxAnswerBytes: 2_000_000 }).post(request(origin));

    expect(answer.truncated).toBe(false);
    expect(answer.body.equals(body)).toBe(true);
  });

  it('does not hold it against an endpoint that this very process stood still', async () => {
    const { origin } = await http((_, response) => void response.writeHead(204).end());
    const answer = client().post(request(origin, { timeout: 500 }));
    const end = performance.now() + 2000;
    while (performance.now() < end);
    expect(await answer).toMatchObject({ status: 204 });
  });

  it('never inflates an answer', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const { origin } = await http((incoming, response) => {
      expect(incoming.headers).not.toHaveProperty('accept-encoding');
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });

    expect((await client().post(request(origin))).body).toEqual(bomb);
  });

  it('ends what is kept on close, waits for what is under way, and takes nothing more', async () => {
    let answer: () => void = () => {};
    const { origin, sockets } = await http((incoming, response) => {
      if (incoming.url === '/slow') answer = () => response.end('late');
      else response.end();
    });
    const posting = client();
    await posting.post(request(origin));
    const slow = posting.post(request(`${origin}/slow`));
    await posting.post(request(origin));
    await expect.poll(() => sockets.length).toBe(2);

    const closing = posting.close();
    await expect(posting.post(request(origin))).rejects.toMatchObject({ reason: 'internal' });
    answer();

    expect((await slow).body.toString()).toBe('late');
    await closing;
    await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true);
  });
});

describe('UndiciHttpClient.abort()', () => {
  it('fails requests under way, those that wait and those in an interceptor, so that close() ends', async () => {
    let arrived = 0;
    const { origin } = await http(() => void arrived++);
    const posting = client({ connections: 1 });
    const posts = [posting.post(request(origin)), posting.post(request(origin))];
    posting.axios.interceptors.request.use(() => new Promise(() => {}));
    posts.push(posting.post(request(origin)));
    const ends = Promise.allSettled(posts);
    await expect.poll(() => arrived).toBe(1);

    posting.abort();

    expect(await ends).toMatchObject(Array(3).fill({ reason: { reason: 'timeout' } }));
    await posting.close();
    expect(arrived).toBe(1);
  });
});

describe('an endpoint that misbehaves', () => {
  const drip = (socket: Socket, text: string) => {
    const timer = setInterval(() => socket.write(text), 20);
    socket.on('close', () => clearInterval(timer));
  };
  const head = 'HTTP/1.1 200 OK\r\n';

  it.each<[name: string, code: string, (socket: Socket) => void]>([
    ['never answers', 'timeout', () => {}],
    ['drips a header', 'timeout', (socket) => (socket.write(`${head}x: `), drip(socket, 'a'))],
    ['drips headers', 'timeout', (socket) => (socket.write(head), drip(socket, 'a: b\r\n'))],
    [
      'drips a body',
      'timeout',
      (socket) => (socket.write(`${head}content-length: 9999\r\n\r\n`), drip(socket, 'a')),
    ],
    [
      'drips chunks',
      'timeout',
      (socket) => (
        socket.write(`${head}transfer-encoding: chunked\r\n\r\n`),
        drip(socket, '1\r\na\r\n')
      ),
    ],
    [
      'drips until it closes',
      'timeout',
      (socket) => (socket.write(`${head}\r\n`), drip(socket, 'a')),
    ],
    [
      'drips early hints',
      'timeout',
      (socket) => {
        const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 100);
        socket.on('close', () => clearInterval(timer));
      },
    ],
    [
      'floods with early hints',
      'protocol',
      (socket) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(10_000)),
    ],
    ['says continue', 'protocol', (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n')],
    [
      'switches protocols',
      'protocol',
      (socket) =>
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
        ),
    ],
    [
      'sends a header of 20 kB',
      'protocol',
      (socket) => socket.write(`${head}x: ${'a'.repeat(20_480)}\r\n\r\n`),
    ],
    [
      'sends headers without end',
      'protocol',
      (socket) => socket.write(head + `x: ${'y'.repeat(100)}\r\n`.repeat(1000)),
    ],
    ['speaks SSH', 'protocol', (socket) => socket.write('SSH-2.0-OpenSSH_9.7\r\n')],
    ...['000', '001', '099'].map((status): [string, string, (socket: Socket) => void] => [
      `answers ${status}`,
      'protocol',
      (socket) => socket.write(`HTTP/1.1 ${status} X\r\ncontent-length: 2\r\n\r\nok`),
    ]),
    ['speaks noise', 'protocol', (socket) => socket.write(Buffer.alloc(4096, 0xfe))],
    [
      'sends two lengths',
      'protocol',
      (socket) => socket.write(`${head}content-length: 1\r\ncontent-length: 2\r\n\r\nab`),
    ],
    [
      'sends a chunk that is none',
      'protocol',
      (socket) => socket.write(`${head}transfer-encoding: chunked\r\n\r\nzz\r\n`),
    ],
    ['closes at once', 'connection-reset', (socket) => socket.end()],
    ['resets at once', 'connection-reset', (socket) => socket.resetAndDestroy()],
    [
      'resets in the headers',
      'connection-reset',
      (socket) => socket.write(head, () => socket.resetAndDestroy()),
    ],
    ['truncates its headers', 'connection-reset', (socket) => socket.end(`${head}x: `)],
    [
      'truncates its body',
      'connection-reset',
      (socket) => socket.end(`${head}content-length: 100\r\n\r\nabc`),
    ],
    [
      'truncates its chunks',
      'connection-reset',
      (socket) => socket.end(`${head}transfer-encoding: chunked\r\n\r\n5\r\nab`),
    ],
  ])('that %s, to 100 at once: %s', async (_, code, misbehave) => {
    const { origin, sockets } = await tcp((socket) => socket.once('data', () => misbehave(socket)));
    const posting = client({ connections: 100 });
    const timeout = code === 'timeout' ? 400 : 5000;
    const post = () => posting.post(request(`${origin}/?token=s3cret`, { timeout }));
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
      const error = (outcome as PromiseRejectedResult).reason as AttemptError;
      expect(error).toBeInstanceOf(AttemptError);
      expect(error).toMatchObject({ reason: code, data: { address: '127.0.0.1' } });
      expect(error.message + JSON.stringify(error.data)).not.toMatch(/s3cret|undefined/);
    }
    await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true);
  });

  it('that answers 200 and more than is read, in any framing, has succeeded', async () => {
    for (const start of [
      'content-length: 1000000\r\n\r\n',
      'transfer-encoding: chunked\r\n\r\nfffff\r\n',
      '\r\n',
      'connection: close\r\ncontent-length: 1000000\r\n\r\n',
    ]) {
      const { origin, sockets } = await tcp((socket) =>
        socket.once('data', () => socket.write(head + start + 'x'.repeat(100_000))),
      );

      const answer = await client().post(request(origin));

      expect(answer).toMatchObject({ status: 200, truncated: true });
      expect(answer.body).toHaveLength(16_384);
      await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true);
    }
  });

  it('that answers and goes on sending spoils no later answer', async () => {
    const { origin } = await tcp((socket) =>
      socket.on('data', () =>
        socket.write(
          `${head}content-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`,
        ),
      ),
    );
    const posting = client();

    for (let count = 0; count < 20; count++) {
      const outcome = await posting.post(request(origin)).catch((error: AttemptError) => error);
      if (outcome instanceof AttemptError) expect(outcome.reason).not.toBe('internal');
      else expect(outcome.body.toString()).toBe('ok');
    }
  });

  it('that does not listen: connection-refused, with the address', async () => {
    const origin = `http://127.0.0.1:${await freePort()}`;

    await expect(client().post(request(origin))).rejects.toMatchObject({
      reason: 'connection-refused',
      data: { address: '127.0.0.1' },
    });
  });

  it.each([
    'ECONNREFUSED',
    'ETIMEOUT',
    'EREFUSED',
    'EBADRESP',
    'EFORMERR',
    'ECANCELLED',
    'ENOTIMP',
  ])('whose name server fails with %s: name-not-resolved', async (code) => {
    const lookup: AddressLookup = (name, _, done) =>
      done(Object.assign(new Error(`queryA ${code} ${name}`), { code }), []);

    await expect(
      client({ lookup }).post(request('http://hooks.example:81/')),
    ).rejects.toMatchObject({
      reason: 'name-not-resolved',
      message: expect.stringContaining(`(${code})`),
    });
  });

  it('whose name is never resolved ends in time, and takes those who wait for a connection with it', async () => {
    const lookup: AddressLookup = () => {};
    const posting = client({ connections: 2, lookup });
    const began = performance.now();

    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, () =>
        posting.post(request('http://hangs.example:81/', { timeout: 300 })),
      ),
    );

    // Two by two they would take 7.5 seconds.
    expect(performance.now() - began).toBeLessThan(4000);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ reason: { reason: 'timeout' } });
    await posting.close();
  });

  it('does not delay another', async () => {
    const dead = await tcp(() => {});
    const alive = await http((_, response) => response.end());
    const posting = client();
    const waiting = Promise.allSettled(
      Array.from({ length: 200 }, () => posting.post(request(dead.origin, { timeout: 60_000 }))),
    );
    const ended = waiting.then(() => 'the dead one');

    const alive50 = Array.from({ length: 50 }, () => posting.post(request(alive.origin)));
    expect(await Promise.race([Promise.all(alive50).then(() => 'the other'), ended])).toBe(
      'the other',
    );

    posting.abort();
    await waiting;
  });
});

describe('the addresses that are dialled', () => {
  const name = 'http://hooks.example';

  it('are those that the name resolves to, with the name as host', async () => {
    const hosts: (string | undefined)[] = [];
    const { port } = await http((incoming, response) => {
      hosts.push(incoming.headers.host);
      response.end();
    });
    const posting = client({ lookup: answers(['127.0.0.1']) });

    const answer = await posting.post(request(`${name}:${port}/`));

    expect(answer.address).toBe('127.0.0.1');
    expect(hosts).toEqual([`hooks.example:${port}`]);
  });

  it('are tried in turn', async () => {
    const { port } = await http((_, response) => response.end());
    const posting = client({ lookup: answers(['127.0.0.2', '127.0.0.1']) });

    expect((await posting.post(request(`${name}:${port}/`))).address).toBe('127.0.0.1');
  });

  it.each([
    [['10.0.0.1']],
    [['127.0.0.3']],
    [['127.0.0.1', '10.0.0.1']],
    [['10.0.0.1', '127.0.0.1']],
    [['127.0.0.1', '::ffff:10.0.0.1']],
    [['127.0.0.1', 'fe80::1%lo']],
    [['127.0.0.1', '127.1']],
    [['localhost']],
    [['']],
    [[undefined as unknown as string]],
  ])('are none when the name resolves to %j', async (addresses) => {
    const { port, sockets } = await http((_, response) => response.end());
    const posting = client({ lookup: answers(addresses) });

    const outcome = posting.post(request(`${name}:${port}/?q=s3cret`));

    await expect(outcome).rejects.toBeInstanceOf(RecipientRefusedError);
    await expect(outcome).rejects.toThrow(/^(?!.*s3cret)/);
    expect(sockets).toHaveLength(0);
  });

  it('are judged anew for each connection: a name that turns bad is not followed', async () => {
    const allowed = await http((_, response) => response.end());
    // Stands for an internal service: same port, an address that the policy forbids.
    const forbidden = await tcp(() => {}, '127.0.0.9', allowed.port);
    let resolved = ['127.0.0.1'];
    const posting = client({
      lookup: (host, options, callback) => answers(resolved)(host, options, callback),
    });
    const url = `${name}:${allowed.port}/`;

    expect((await posting.post(request(url, { keepAlive: false }))).status).toBe(200);
    for (resolved of [['127.0.0.9'], ['127.0.0.1', '127.0.0.9'], ['127.0.0.9', '127.0.0.1']]) {
      await expect(posting.post(request(url, { keepAlive: false }))).rejects.toThrow('127.0.0.9');
    }
    resolved = ['127.0.0.1'];
    expect((await posting.post(request(url))).status).toBe(200);

    expect(allowed.sockets).toHaveLength(2);
    expect(forbidden.sockets).toHaveLength(0);
  });

  it('are judged when the URL holds one, whatever its spelling', async () => {
    const forbidden = await tcp(() => {}, '127.0.0.9');
    for (const host of ['127.0.0.9', '127.9', '0x7f000009', '[::ffff:127.0.0.9]']) {
      await expect(
        client().post(request(`http://${host}:${forbidden.port}/`)),
      ).rejects.toBeInstanceOf(RecipientRefusedError);
    }
    expect(forbidden.sockets).toHaveLength(0);
  });

  it('are judged though the policy has let the URL pass', async () => {
    class Careless extends PublicRecipientPolicy {
      override checkUrl(url: string): URL {
        return new URL(url);
      }
    }
    const forbidden = await tcp(() => {}, '127.0.0.9');
    const posting = client({}, new Careless());

    await expect(posting.post(request(forbidden.origin))).rejects.toBeInstanceOf(
      RecipientRefusedError,
    );
    expect(forbidden.sockets).toHaveLength(0);
  });

  it('come from one look-up for all connections that are opened together', async () => {
    let lookups = 0;
    const { port } = await http((_, response) => response.end());
    const posting = client({
      lookup: (host, options, callback) => {
        lookups++;
        setImmediate(() => answers(['127.0.0.1'])(host, options, callback));
      },
    });

    await Promise.all(Array.from({ length: 20 }, () => posting.post(request(`${name}:${port}/`))));

    expect(lookups).toBe(1);
  });

  it.each([
    [
      'fails',
      () => (_: string, __: unknown, callback: (error: NodeJS.ErrnoException) => void) =>
        callback(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
    ],
    ['finds nothing', () => answers([])],
    [
      'throws',
      () => () => {
        throw Object.assign(new Error('no'), { code: 'EAI_AGAIN' });
      },
    ],
  ])('are none when the look-up %s: name-not-resolved', async (_, lookup) => {
    await expect(
      client({ lookup: lookup() as AddressLookup }).post(request(`${name}:81/`)),
    ).rejects.toMatchObject({ reason: 'name-not-resolved' });
  });

  it('are looked up anew when a look-up never calls back', async () => {
    const { port } = await http((_, response) => response.end());
    let hangs = true;
    const lookup: AddressLookup = (...parameters) => {
      if (!hangs) answers(['127.0.0.1'])(...parameters);
      hangs = false;
    };
    const posting = client({ lookup });
    // Another host of the policy that is busy for as long.
    const busy = await tcp((socket) => socket.resume());
    const waiting = posting.post(request(busy.origin, { timeout: 12_000 })).catch(() => {});

    const post = () => posting.post(request(`${name}:${port}/`, { timeout: 100 }));
    await expect(post()).rejects.toMatchObject({ reason: 'timeout' });
    await expect.poll(async () => (await post()).status, { timeout: 10_000 }).toBe(200);
    for (const socket of busy.sockets) socket.destroy();
    await waiting;
  });

  it('are refused for a URL that the policy refuses, before anything happens', async () => {
    await expect(client().post(request('ftp://example.com/'))).rejects.toBeInstanceOf(
      RecipientRefusedError,
    );
    await expect(client().post(request('http://localhost.:22/'))).rejects.toMatchObject({
      reason: 'port',
    });
  });
});

describe('axios', () => {
  it('lets interceptors see and change requests and answers', async () => {
    const seen: unknown[] = [];
    const { origin } = await http(async (incoming, response) => {
      seen.push([
        incoming.headers['x-tenant'],
        incoming.url,
        Buffer.concat(await incoming.toArray()).toString(),
      ]);
      response.writeHead(201, { 'x-answer': 'yes' }).end('{"a":1}');
    });
    const posting = client();
    const { interceptors } = posting.axios;
    interceptors.request.use((config) => {
      config.headers.set('X-Tenant', 'acme');
      return config;
    });
    interceptors.response.use((response) => {
      seen.push([response.status, response.headers['x-answer'], String(response.data)]);
      return response;
    });

    const answer = await posting.post(
      request(`${origin}/a?b=c`, { body: Buffer.from('{"b": 2}') }),
    );

    expect(answer).toMatchObject({ status: 201, truncated: false, address: '127.0.0.1' });
    expect(answer.headers['x-answer']).toBe('yes');
    expect(answer.body.toString()).toBe('{"a":1}');
    expect(seen).toEqual([
      ['acme', '/a?b=c', '{"b": 2}'],
      [201, 'yes', '{"a":1}'],
    ]);
  });

  it('sends the same request as without it', async () => {
    const seen: string[][] = [];
    const { origin } = await http((incoming, response) => {
      seen.push(incoming.rawHeaders);
      response.writeHead(500).end();
    });
    const plain = client();
    const customised = client();
    customised.axios.interceptors.request.use((config) => config);
    const post = request(origin, {
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'thorn', 'Hook-Event': 'a.b' },
    });

    expect((await plain.post(post)).status).toBe(500);
    expect((await customised.post(post)).status).toBe(500);

    expect(seen[1]).toEqual(seen[0]);
  });

  it('runs interceptors in the order of axios, and none that was ejected', async () => {
    const { origin } = await http((_, response) => response.end());
    const order: string[] = [];
    const posting = client();
    const { interceptors } = posting.axios;
    for (const name of ['one', 'two', 'never']) {
      interceptors.request.use(
        (config) => {
          order.push(`request ${name}`);
          return config;
        },
        null,
        { runWhen: () => name !== 'never' },
      );
      interceptors.response.use((response) => {
        order.push(`response ${name}`);
        return response;
      });
    }
    interceptors.request.eject(interceptors.request.use(() => Promise.reject(new Error('gone'))));
    interceptors.response.use((response) => Promise.reject(new Error(`status ${response.status}`)));
    interceptors.response.use(undefined, (error: Error) => {
      order.push(error.message);
      return { status: 299, data: 'mended', headers: {} };
    });

    const answer = await posting.post(request(origin));

    expect(order).toEqual([
      'request two',
      'request one',
      'response one',
      'response two',
      'response never',
      'status 200',
    ]);
    expect(answer).toMatchObject({ status: 299, body: Buffer.from('mended') });
  });

  it('sends nothing by another adapter, whatever an interceptor returns', async () => {
    let requests = 0;
    const { origin } = await http((_, response) => {
      requests++;
      response.end();
    });
    const posting = client();
    let adapter: unknown;
    posting.axios.interceptors.request.use(
      ({ url, method, headers, data }) => ({ url, method, headers, data, adapter }) as never,
    );

    for (adapter of [undefined, 'http', () => Promise.resolve({ status: 200 })]) {
      const refused = posting.post(request(origin));
      await expect(refused).rejects.toThrow(/dropped the adapter of the request; return/);
      await expect(refused).rejects.toMatchObject({ reason: 'internal' });
    }
    expect(requests).toBe(0);
  });

  it('honours defaults', async () => {
    const tenants: unknown[] = [];
    const { origin } = await http((incoming, response) => {
      tenants.push(incoming.headers['x-tenant']);
      response.end();
    });
    const posting = client();
    posting.axios.defaults.headers.common['X-Tenant'] = 'acme';

    await posting.post(request(origin));

    expect(tenants).toEqual(['acme']);
  });

  it('keeps policy, deadline and error codes', async () => {
    const { origin } = await tcp(() => {});
    const posting = client();
    posting.axios.interceptors.request.use((config) => config);
    const forbidden = posting.post(request('http://10.0.0.1/'));
    const began = performance.now();

    await expect(forbidden).rejects.toBeInstanceOf(RecipientRefusedError);
    await expect(posting.post(request(origin, { timeout: 200 }))).rejects.toMatchObject({
      reason: 'timeout',
    });
    // Without one of its own it would have 15 seconds.
    expect(performance.now() - began).toBeLessThan(2500);
  });

  it('sends what interceptors leave of the headers', async () => {
    const { origin } = await http((incoming, response) => {
      response.end(JSON.stringify(incoming.headers));
    });
    const posting = client();
    posting.axios.interceptors.request.use((config) => {
      config.headers.set('x-a', 'other').delete('X-B');
      config.headers.set('X-C', false).set('X-E', 5);
      return config;
    });

    const headers = { 'X-A': '1', 'X-B': '2', 'X-C': '3', 'X-D': '4' };
    const { body } = await posting.post(request(origin, { headers }));

    const sent = JSON.parse(body.toString()) as object;
    expect(sent).toMatchObject({ 'x-a': 'other', 'x-d': '4', 'x-e': '5' });
    expect(Object.keys(sent)).not.toEqual(expect.arrayContaining(['x-b']));
    expect(Object.keys(sent)).not.toEqual(expect.arrayContaining(['x-c']));
  });

  it('does not send a request whose time is over when interceptors are done', async () => {
    let requests = 0;
    const { origin } = await http((_, response) => {
      requests++;
      response.end();
    });
    const posting = client();
    let left = 1000;
    posting.axios.interceptors.request.use((config) => {
      left = 0;
      return config;
    });

    const late = posting.post(request(origin, { timeLeft: () => left }));

    await expect(late).rejects.toMatchObject({ reason: 'timeout' });
    expect(requests).toBe(0);
  });

  it.each([false, true])(
    'moves the deadline for as long as there is time left; with interceptors: %s',
    async (hasInterceptors) => {
      let answer: () => void = () => {};
      const shortEnded = new Promise<void>((resolve) => (answer = resolve));
      const { origin } = await http(({ url }, response) => {
        if (url === '/long') void shortEnded.then(() => response.end());
      });
      const posting = client();
      if (hasInterceptors) posting.axios.interceptors.request.use((config) => config);
      const over = (milliseconds: number) => {
        const end = performance.now() + milliseconds;
        return { timeout: 100, timeLeft: () => end - performance.now() };
      };
      const long = posting.post(request(`${origin}/long`, over(10_000)));
      const short = posting.post(request(`${origin}/short`, over(300)));

      await expect(short).rejects.toMatchObject({ reason: 'timeout' });
      answer();
      await expect(long).resolves.toMatchObject({ status: 200 });
    },
  );

  it('sends nothing after the deadline, and gives the wire the rest of the time', async () => {
    let requests = 0;
    const { origin } = await http((_, response) => {
      requests++;
      response.end();
    });
    const silent = await tcp((socket) => socket.resume());
    const posting = client();
    let goOn: () => void = () => {};
    const waited = new Promise<void>((resolve) => (goOn = resolve));
    let wait = waited;
    let last: Promise<unknown> = Promise.resolve();
    posting.axios.interceptors.request.use((config) => (last = wait.then(() => config)) as never);

    await expect(posting.post(request(origin, { timeout: 100 }))).rejects.toMatchObject({
      reason: 'timeout',
    });
    goOn();
    await last;
    await posting.post(request(origin));
    expect(requests).toBe(1);

    wait = new Promise((resolve) => setTimeout(resolve, 800));
    const lateness = watchLateness();
    const began = performance.now();
    await expect(posting.post(request(silent.origin, { timeout: 1000 }))).rejects.toMatchObject({
      reason: 'timeout',
    });
    const took = performance.now() - began;
    expect(took).toBeLessThan(1600 + lateness());
    await expect.poll(() => silent.sockets.every((socket) => socket.destroyed)).toBe(true);
  });

  it('sends requests of the application’s own, within a deadline of their own', async () => {
    const { origin } = await http((incoming, response) => {
      if (incoming.url !== '/never') setTimeout(() => incoming.pipe(response), 150);
    });
    const { axios } = client();

    const { data } = await axios.post<Buffer>(origin, 'text');
    expect(String(data)).toBe('text');
    expect((await axios.post(origin, 'text', { timeout: 0 })).status).toBe(200);
    const never = axios.post(`${origin}/never`, 'text', { timeout: 20 });
    await expect(never).rejects.toThrow(/in time/);
    await expect(axios.post(origin, { a: 1 })).rejects.toThrow(/must be bytes or text .*Encode it/);
  });

  it('counts an interceptor’s waiting, judges the URL that it leaves, and keeps its error’s secrets', async () => {
    const { origin } = await http((_, response) => response.end());
    const waiting = client();
    waiting.axios.interceptors.request.use(() => new Promise<never>(() => {}));
    const diverting = client();
    diverting.axios.interceptors.request.use((config) => ({
      ...config,
      url: 'http://169.254.169.254/',
    }));
    const failing = client();
    failing.axios.interceptors.request.use(() => {
      throw new Error('cannot fetch https://vault.example/?token=s3cret');
    });

    await expect(waiting.post(request(origin, { timeout: 100 }))).rejects.toMatchObject({
      reason: 'timeout',
    });
    await expect(diverting.post(request(origin))).rejects.toBeInstanceOf(RecipientRefusedError);
    await expect(failing.post(request(origin))).rejects.toMatchObject({ reason: 'internal' });
    await expect(failing.post(request(origin))).rejects.toThrow(/^(?!.*s3cret).*vault\.example/);
  });
});

function client(options: UndiciHttpClientOptions = {}, policy = local): UndiciHttpClient {
  const made = new UndiciHttpClient(policy, options);
  cleanups.push(() => made.close());
  return made;
}

function request(url: string, changes: Partial<WebhookRequest> = {}): WebhookRequest {
  return { url, headers: {}, body: Buffer.from('{}'), timeout: 3000, keepAlive: true, ...changes };
}

function answers(addresses: readonly string[]): AddressLookup {
  return (_, __, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
}

async function http(listener: RequestListener) {
  const server = createServer(listener);
  return listening(server, '127.0.0.1', 0);
}

async function tcp(listener: (socket: Socket) => void, address = '127.0.0.1', port = 0) {
  return listening(createTcpServer(listener), address, port);
}

async function listening(server: Server, address: string, wanted: number) {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(wanted, address, resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, port, sockets, origin: `http://${address}:${port}` };
}
