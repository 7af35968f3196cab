import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { PublicRecipientPolicy } from '../recipient-policy/public-recipient-policy.js';
import { UndiciHttpClient } from './undici-http-client.js';

const AT_ONCE = 100;
const ROUNDS = 3;
const MEBIBYTE = 1024 * 1024;
const TIMEOUT = 25_000;
const SHORT_TIMEOUT = 200;

const policy = new PublicRecipientPolicy({ allowedPorts: 'any', allowCidrs: ['127.0.0.1/32'] });
const head = 'HTTP/1.1 200 OK\r\n';
const piece = Buffer.alloc(65_536, 'x');
const chunk = Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]);
const bomb = gzipSync(Buffer.alloc(50 * MEBIBYTE));
const hint = Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(100));
const line = Buffer.from(`x: ${'y'.repeat(60)}\r\n`.repeat(100));

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;
const tiny = Buffer.from('abcdefgh:\r\n'.repeat(6000));
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('100 answers at once', () => {
  it.each<[name: string, begin: string, more: Buffer | null, outcome: string | number]>([
    ['that never come', '', null, 'timeout'],
    ['of chunks without end', `${head}transfer-encoding: chunked\r\n\r\n`, chunk, 200],
    ['of a huge body', `${head}content-length: 1000000000\r\n\r\n`, piece, 200],
    ['of a huge body after an error', 'HTTP/1.1 500 No\r\n\r\n', piece, 500],
    ['of early hints without end', '', hint, 'protocol'],
    ['of headers without end', head, line, 'protocol'],
    ['of small headers without end', head, tiny, 'protocol'],
    [
      'that are a gzip bomb',
      `${head}content-encoding: gzip\r\nconnection: close\r\n\r\n`,
      bomb,
      200,
    ],
  ])('%s end in time and leave no memory behind', async (_, begin, more, expected) => {
    const url = await endpoint((socket) => {
      socket.write(begin);
      if (more !== null) pour(socket, more);
    });
    const client = new UndiciHttpClient(policy, { connections: AT_ONCE });
    cleanups.push(() => client.close());
    const timeout = expected === 'timeout' ? SHORT_TIMEOUT : TIMEOUT;
    const round = async () => {
      const began = performance.now();
      const outcomes = await Promise.all(
        Array.from({ length: AT_ONCE }, () => post(client, url, timeout)),
      );
      // undici alone would wait for five minutes.
      expect(performance.now() - began).toBeLessThan(2 * TIMEOUT);
      expect(new Set(outcomes)).toEqual(new Set([expected]));
    };
    // The first connection of a process loads undici, which is not measured.
    await post(client, url, timeout);
    await round();
    const before = used();
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5);
    const atFirst = process.memoryUsage().rss;

    for (let count = 0; count < ROUNDS; count++) await round();

    clearInterval(watch);
    await expect.poll(() => (used() - before) / MEBIBYTE).toBeLessThan(8);
    // The endpoints, which are in this process as well, would have poured gigabytes.
    expect((peak - atFirst) / MEBIBYTE).toBeLessThan(256);
  });
});

function post(client: UndiciHttpClient, url: string, timeout: number): Promise<string | number> {
  const request = { url, headers: {}, body: Buffer.from('{}'), timeout, keepAlive: true };
  return client.post(request).then(
    ({ status, body }) => {
      expect(body.length).toBeLessThanOrEqual(16_384);
      return status;
    },
    (error: { reason: string }) => error.reason,
  );
}

async function endpoint(answer: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
    cleanups.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Writes as fast as the other side reads, for as long as it does. */
function pour(socket: Socket, more: Buffer): void {
  const write = () => {
    while (!socket.destroyed && socket.writable && socket.write(more));
  };
  socket.on('drain', write);
  write();
}

/** Bytes in use after what is not any more was collected. */
function used(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
