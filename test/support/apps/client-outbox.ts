import type { EntityManager } from 'typeorm';
import type { JoinedTransaction } from '../../../lib/database/sql-client.js';
import { JoinedTransactions } from '../../../lib/dispatch/index.js';
import type { Message } from '../../../lib/message/index.js';
import type { TestDatabase } from '../databases.js';
import type { ClientKind, OpenedClient } from '../sql-clients.js';
import {
  Article,
  joined,
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
} from './outbox-app.js';

/** A transaction of an application, whichever client it has. */
export interface AppTransaction {
  readonly joined: JoinedTransaction;
  /** Saves an article, whose event is sent with it. */
  save(title: string): Promise<void>;
  /** Sends a message in it, as a dispatcher does. */
  send(message: Message): Promise<unknown>;
  execute(sql: string): Promise<unknown>;
  nested(work: (inner: AppTransaction) => Promise<void>): Promise<void>;
}

/** An outbox, and the application's client whose transactions it joins. */
export interface ClientOutbox extends OutboxApp {
  begin<Answer>(work: (tx: AppTransaction) => Promise<Answer>): Promise<Answer>;
}

export interface ClientOutboxOptions extends Omit<OutboxAppOptions, 'clientOf'> {
  /** One of `SQL_CLIENTS` or `MARIADB_CLIENTS`, on a server of theirs. Default: the data source. */
  readonly client?: string | undefined;
}

/** As many transactions at once as the tests have, and what they write beside them. */
const CONNECTIONS = 8;

export async function openClientOutbox(
  place: Pick<TestDatabase, 'options'>,
  { client: name, ...options }: ClientOutboxOptions = {},
): Promise<ClientOutbox> {
  if (name === undefined) return onDataSource(await openOutboxApp(place, options));
  // Here alone: their packages take long to load.
  const { SQL_CLIENTS } = await import('../sql-clients.js');
  const { MARIADB_CLIENTS } = await import('../mariadb-clients.js');
  const kind = [...SQL_CLIENTS, ...MARIADB_CLIENTS].find((one) => one.name === name)!;
  const { url } = place.options as { readonly url: string };
  return onClient(kind, await kind.open(url, CONNECTIONS), url, (clientOf) =>
    openOutboxApp(place, { ...options, clientOf }),
  );
}

function onDataSource(app: OutboxApp): ClientOutbox {
  const wrap = (manager: EntityManager): AppTransaction => ({
    get joined() {
      return joined(manager);
    },
    save: async (title) => void (await manager.save(Object.assign(new Article(), { title }))),
    send: (message) => Promise.resolve(app.transactions.enlist(message, manager)),
    execute: (sql) => manager.query(sql),
    nested: (work) => manager.transaction((inner) => work(wrap(inner))),
  });
  return { ...app, begin: (work) => app.dataSource.transaction((manager) => work(wrap(manager))) };
}

async function onClient<Transaction>(
  kind: ClientKind<Transaction>,
  opened: OpenedClient<Transaction>,
  url: string,
  open: (clientOf: NonNullable<OutboxAppOptions['clientOf']>) => Promise<OutboxApp>,
): Promise<ClientOutbox> {
  const client = await kind.define(opened.bare, url).useFactory();
  const app = await open(() => client);
  const transactions = new JoinedTransactions(client, app.pipeline);
  const wrap = async (tx: Transaction): Promise<AppTransaction> => ({
    joined: await client.join(tx),
    save: async (title) => {
      await kind.execute(tx, `INSERT INTO article (title) VALUES ('${title}')`);
      await transactions.enlist(app.message({ event: 'article.created', data: { title } }), tx);
    },
    send: (message) => transactions.enlist(message, tx),
    execute: (sql) => kind.execute(tx, sql),
    nested: (work) => kind.nested(tx, async (inner) => work(await wrap(inner))),
  });
  return {
    ...app,
    begin: (work) => opened.begin(async (tx) => work(await wrap(tx))),
    close: async () => {
      await app.close();
      await client.close?.();
      await opened.close();
    },
  };
}
