import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { outbox, type OutboxOptions, ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { thornEntities } from '../../lib/typeorm/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { TcpProxy } from '../services/tcp-proxy.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';

const WAITING = 200;
const WINDOW = 10;
const PATIENCE = { timeout: 40_000 };

describe('an outbox in two databases, one of which is silent', () => {
  let places: TestDatabase[];
  let proxy: TcpProxy;
  let receiver: ScriptedReceiver;
  let app: INestApplicationContext;

  beforeEach(async () => {
    vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    places = [await createDatabase('postgres'), await createDatabase('postgres')];
    proxy = await TcpProxy.start((places[1]!.options as { url: string }).url);
    receiver = await ScriptedReceiver.start();
  });
  afterEach(async () => {
    await proxy.restore();
    await app.close();
    await proxy.stop();
    await receiver.stop();
    for (const place of places) await place.drop();
    vi.restoreAllMocks();
  });

  /** `second` is behind the proxy. */
  async function start(options: OutboxOptions): Promise<void> {
    const ways = { default: places[0]!.options, second: { ...places[1]!.options, url: proxy.url } };
    const module = await Test.createTestingModule({
      imports: [
        ...Object.entries(ways).map(([name, database]) =>
          TypeOrmModule.forRoot({
            ...{ ...database, name, connectTimeoutMS: 10_000 },
            ...{ entities: thornEntities, synchronize: true },
          }),
        ),
        ThornModule.forRoot({
          dataSources: Object.keys(ways),
          dispatch: outbox(options),
          recipients: LOOPBACK_RECIPIENTS,
          subscribers: { '*': [receiver.url] },
          timeout: 60_000,
        }),
      ],
    }).compile();
    app = module;
    await app.init();
  }

  const sourceOf = (name: string) => app.get<DataSource>(getDataSourceToken(name));

  function send(name: string, count = 1): Promise<void> {
    const dispatcher = app.get(WebhookDispatcher);
    return sourceOf(name).transaction(async (manager) => {
      for (let at = 0; at < count; at++) await dispatcher.send(`in.${name}`, {}, { manager });
    });
  }

  const finished = (name: string) =>
    expect
      .poll(() => sourceOf(name).query('SELECT id FROM thorn_pending_messages'), PATIENCE)
      .toEqual([]);

  const sent = (name: string) => receiver.received.filter(({ event }) => event === `in.${name}`);

  it('delivers what is in the other one, and the rest once it answers', async () => {
    receiver.otherwise({ delay: 300 });
    await start({ window: WINDOW, queryTimeout: 1000 });
    await send('second', WAITING);
    await receiver.waitFor(WINDOW, PATIENCE);
    proxy.silence();
    await send('default');
    await receiver.waitFor(({ event }) => event === 'in.default', PATIENCE);
    expect(sent('second').length).toBeLessThan(WAITING);

    await proxy.restore();
    await receiver.waitFor(WAITING + 1, PATIENCE);
    await finished('second');
    expect(sent('second')).toHaveLength(WAITING);
  });

  it('keeps its leases in the other one', async () => {
    receiver.otherwise({ delay: 6000 });
    await start({ lease: 3000 });
    await send('second');
    await send('default');
    await receiver.waitFor(2, PATIENCE);
    proxy.silence();
    const leases = new Set<unknown>();
    const isFinished = async () => {
      const [row] = await sourceOf('default').query('SELECT lease FROM thorn_pending_messages');
      if (row !== undefined) leases.add(row.lease);
      return row === undefined;
    };
    await expect.poll(isFinished, PATIENCE).toBe(true);
    // It would have another one had it ended.
    expect(leases.size).toBe(1);
  });
});
