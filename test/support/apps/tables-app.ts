import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  defineTableEvents,
  outbox,
  type OutboxOptions,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
} from '../../../lib/index.js';
import { ensureSchema } from '../../../lib/sql/index.js';
import { LOOPBACK_RECIPIENTS } from '../../../lib/testing/index.js';
import type { ClientDatabase } from '../client-databases.js';
import type { OpenedClient } from '../client-kind.js';

export interface OrderRow {
  readonly id: number;
  readonly state: string;
  readonly total: number;
}

/** The table of the orders: `id`, `state`, `total`. */
export const ORDERS =
  'CREATE TABLE orders (id integer PRIMARY KEY, state varchar(40) NOT NULL, total integer NOT NULL)';

/** An event for each kind of change of an order, in the order of its row. */
export const orders = defineTableEvents<OrderRow>('orders', {
  key: 'id',
  orderBy: true,
  payload: ({ id, state, total }) => {
    if (state === 'BAD') throw new Error('cannot be told');
    return { id, state, total };
  },
  events: {
    'order.placed': { on: 'create' },
    'order.changed': { on: 'change' },
    'order.removed': { on: 'delete' },
  },
});

/** An application of a driver, whose events are declared on tables. */
export interface TablesApp {
  readonly app: INestApplicationContext;
  readonly client: OpenedClient<never>;
  close(): Promise<void>;
}

export interface TablesAppOptions extends Omit<
  ThornModuleOptions & ThornModuleExtras,
  'dispatch' | 'database'
> {
  readonly outbox?: OutboxOptions;
  /** The client, of those of the database. Default: the first, which is the driver. */
  readonly client?: string;
}

/** Makes the tables of the library and the triggers. */
export async function makeTriggers(
  place: ClientDatabase,
  url: string,
  tables = [orders],
): Promise<void> {
  const [kind] = place.writers;
  const client = await kind!.open(url, 2);
  try {
    await ensureSchema(kind!.define(client.bare, url), { tables });
  } finally {
    await client.close();
  }
}

/** Starts an application whose tables and triggers are there. */
export async function startTablesApp(
  place: ClientDatabase,
  url: string,
  { outbox: options, client: name, ...extras }: TablesAppOptions = {},
): Promise<TablesApp> {
  const kind = place.writers.find((one) => name === undefined || one.name === name)!;
  const client = await kind.open(url, 5);
  const module = await Test.createTestingModule({
    imports: [
      ThornModule.forRoot({
        ...{ database: kind.define(client.bare, url), recipients: LOOPBACK_RECIPIENTS },
        ...{ dispatch: outbox({ pollInterval: 100, ...options }), tables: [orders], ...extras },
      }),
    ],
  }).compile();
  const app = await module.init();
  return {
    app,
    client,
    close: async () => {
      await app.close();
      await client.close();
    },
  };
}
