import { type INestApplicationContext, Logger, type Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  outbox,
  ThornModule,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvent,
} from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS } from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import { CLIENT_DATABASES, type OwnConnection } from '../support/client-databases.js';
import type { OpenedClient } from '../support/client-kind.js';
import { migrate } from '../support/sql-clients.js';

const REQUIRED = {
  code: 'THORN_TRANSACTION_REQUIRED',
  message: expect.stringContaining('option tx, or tx: null to send at once') as string,
};

class Silent {
  @WebhookEvent('order.placed')
  async place(): Promise<void> {}
}

/** Each event says which transaction it belongs to. */
class Explicit {
  @WebhookEvent('order.now', { tx: null, propagateErrors: true })
  async now(): Promise<void> {}

  @WebhookEvent('order.asked', { tx: () => null, propagateErrors: true })
  async asked(): Promise<void> {}

  @WebhookEvent('order.refused', { on: 'error', propagateErrors: true })
  async refuse(): Promise<void> {
    throw new Error('no order');
  }

  // The caller forgot to pass it.
  @WebhookEvent('order.joined', { tx: ([tx]: [unknown?]) => tx, propagateErrors: true })
  async join(_tx?: unknown): Promise<void> {}
}

describe.each(CLIENT_DATABASES)('on $database', ({ kinds, create, connect }) => {
  let place: FreshDatabase;
  let own: OwnConnection;

  beforeAll(async () => {
    vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    place = await create();
    await migrate(place.url);
    own = connect(place.url);
  });
  afterAll(async () => {
    await own.end();
    await place.drop();
  });

  // TypeORM tells of its transactions: test/module/required-transactions.spec.ts.
  describe.each(kinds.filter(({ name }) => name !== 'TypeORM'))(
    'with $name, an event whose transaction is forgotten',
    ({ open, define }) => {
      let client: OpenedClient<never>;
      let app: INestApplicationContext | undefined;

      beforeAll(async () => {
        client = await open(place.url, 3);
      });
      afterAll(() => client?.close());
      afterEach(async () => {
        await app?.close();
        app = undefined;
        for (const table of ['thorn_pending_messages', 'thorn_messages']) {
          await own.query(`DELETE FROM ${table}`);
        }
      });

      async function start(
        { transactions }: Pick<ThornModuleOptions, 'transactions'> = {},
        providers: Provider[] = [],
      ): Promise<WebhookDispatcher> {
        const options = {
          database: define(client.bare, place.url),
          dispatch: outbox({ worker: false }),
          recipients: LOOPBACK_RECIPIENTS,
          // Stored though nobody is subscribed.
          keep: true,
          ...(transactions !== undefined && { transactions }),
        };
        const imports = [ThornModule.forRoot(options)];
        const module = await Test.createTestingModule({ imports, providers }).compile();
        app = await module.init();
        return app.get(WebhookDispatcher);
      }
      const stored = async () =>
        (await own.query('SELECT event FROM thorn_messages')).map(({ event }) => event).sort();

      it('is refused by send() and sendFor(), and is sent with tx: null', async () => {
        const dispatcher = await start();
        const undone = client.begin(async () => {
          for (const options of [undefined, {}, { tx: undefined }, { id: '7' }] as object[]) {
            await expect(dispatcher.send('order.placed', {}, options)).rejects.toMatchObject(
              REQUIRED,
            );
          }
          throw new Error('rolled back');
        });
        await expect(undone).rejects.toThrow('rolled back');
        await expect(dispatcher.sendFor(new Silent(), 'order.placed')).rejects.toMatchObject(
          REQUIRED,
        );
        const row = dispatcher.sendFor({ table: 'orders', key: { id: 1 } }, 'order.placed');
        await expect(row).rejects.toMatchObject({ code: REQUIRED.code });
        expect(await stored()).toEqual([]);

        await dispatcher.send('order.now', {}, { tx: null });
        expect(await stored()).toEqual(['order.now']);
      });

      it("is sent with transactions: 'optional', by hand and by methods", async () => {
        const dispatcher = await start({ transactions: 'optional' }, [Silent]);
        await dispatcher.send('order.now');
        await app!.get(Silent).place();
        expect(await stored()).toEqual(['order.now', 'order.placed']);
      });

      it('stops the start where a method says nothing of it', async () => {
        await expect(start({}, [Silent])).rejects.toMatchObject({
          code: 'THORN_TRANSACTION_REQUIRED',
          message: expect.stringMatching(
            /'order\.placed'.*Silent\.place .*Add tx: .*tx: null/,
          ) as string,
        });
        await start({}, [Explicit]);
        const orders = app!.get(Explicit);
        await orders.now();
        await orders.asked();
        await expect(orders.refuse()).rejects.toThrow('no order');
        await expect(orders.join()).rejects.toMatchObject(REQUIRED);
        expect(await stored()).toEqual(['order.asked', 'order.now', 'order.refused']);
      });
    },
  );
});
