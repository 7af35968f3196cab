import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from './redis.js';

let server: RedisServer | null = null;

afterEach(() => server?.stop());

describe('startRedis', () => {
  it('starts a server that keeps its data through a kill with appendOnly', async () => {
    server = await startRedis({ appendOnly: true });
    await withClient(server.url, (client) => client.set('kept', 'yes'));

    await server.kill('SIGKILL');
    await server.restart();

    expect(await withClient(server.url, (client) => client.get('kept'))).toBe('yes');
  });

  it('starts a server that forgets its data by default, on its old port', async () => {
    server = await startRedis();
    await withClient(server.url, (client) => client.set('kept', 'yes'));

    await server.restart();

    expect(await withClient(server.url, (client) => client.get('kept'))).toBeNull();
  });
});

async function withClient<Result>(url: string, work: (client: Redis) => Promise<Result>) {
  const client = new Redis(url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}
