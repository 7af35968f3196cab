import type { EntityManager } from 'typeorm';
import type { SqlClient } from '../../lib/database/sql-client.js';
import { newId } from '../../lib/common/id.js';
import { JoinedTransactions } from '../../lib/dispatch/index.js';
import { openOutboxApp, subscriber } from '../../test/support/apps/outbox-app.js';
import { SQL_CLIENTS } from '../../test/support/sql-clients.js';
import type { ContenderModule } from '../contenders/forked.js';
import { type Contender, DATA, Unanswered } from '../outbox/contender.js';

/** What a transaction does beside its INSERT; alone: there is none. */
export type Work = 'nothing' | 'a statement' | 'send' | 'send alone';

/** An application with a client, on a database of its own. */
export interface Place {
  /** Of the kind of client. */
  readonly client: string;
  /** What makes it, where the packages of its workspace are found. */
  readonly opener: string;
  readonly url: string;
}

const LOOPBACK = { allowedPorts: 'any', allowCidrs: ['127.0.0.0/8'] } as const;
const INSERT = "INSERT INTO article (title) VALUES ('A title of a usual length')";
const STATEMENT = `INSERT INTO article (title) VALUES ('${DATA.text}')`;

/** {@link openSender}'s. */
export interface Sender extends Contender {
  /** Statements that staging has made so far, of how many messages. */
  readonly staged: { statements: number; messages: number };
  /** Sends in a transaction. @returns the message's id and the time of the commit, by `performance.now()` */
  commit(): Promise<{ readonly id: string; readonly at: number }>;
}

/** Sends in transactions of a client, to one subscriber for each URL. @param worker false: others would deliver */
export async function openSender(
  name: string,
  { client: kindName, opener, url }: Place,
  urls: readonly string[],
  worker = true,
  work: Work = 'send',
): Promise<Sender> {
  process.env['THORN_TEST_CLIENT'] = opener;
  const kind = SQL_CLIENTS.find((one) => one.name === kindName)!;
  const opened = await kind.open(url, 10);
  const isTold = kindName === 'TypeORM';
  const staged = { statements: 0, messages: 0 };
  const client = isTold
    ? undefined
    : count(await kind.define(opened.bare, url).useFactory(), staged);
  const rig = await openOutboxApp(
    { options: { type: 'postgres', url } },
    {
      ...{ isLogged: false, pollInterval: 1000, recipients: LOOPBACK, worker },
      ...(client === undefined ? {} : { clientOf: () => client }),
    },
  );
  for (const one of urls) {
    await rig.subscribers.create(subscriber(one, { id: newId('sub_', Date.now()) }));
  }
  const unanswered = new Unanswered<string>(urls.length);
  rig.events.on('succeeded', ({ messageId }) => unanswered.answered(messageId, 0));
  const joined = client && new JoinedTransactions(client, rig.pipeline);
  const message = () => rig.message({ event: 'order.placed', data: DATA });
  const inTransaction = async (done: (tx: never) => Promise<unknown>) => {
    const both = async (tx: never) => {
      await kind.execute(tx, INSERT);
      await done(tx);
    };
    if (joined === undefined) {
      await rig.dataSource.transaction((manager) => both(manager as never));
    } else await opened.begin(both);
    return performance.now();
  };
  const enlist = async (one: ReturnType<typeof message>, tx: never) => {
    staged.messages++;
    if (joined === undefined) rig.transactions.enlist(one, tx as EntityManager);
    else await joined.enlist(one, tx);
  };
  const commit = async () => {
    const one = message();
    return { id: one.id, at: await inTransaction((tx) => enlist(one, tx)) };
  };
  const send = async () => {
    const one = message();
    const arrived = unanswered.add(one.id, undefined);
    await inTransaction((tx) => enlist(one, tx));
    await arrived;
  };
  const sendAlone = async () => {
    const one = message();
    const arrived = unanswered.add(one.id, undefined);
    await rig.pipeline.send([one]);
    await arrived;
  };
  const once = {
    nothing: () => inTransaction(async () => undefined),
    'a statement': () => inTransaction((tx) => kind.execute(tx, STATEMENT)),
    send: worker ? send : commit,
    'send alone': sendAlone,
  }[work] as () => Promise<never>;
  const stop = async () => {
    await rig.close();
    await client?.close?.();
    await opened.close();
  };
  return { name, staged, commit, send, once, stop };
}

/** Counts the statements of a client in transactions. */
function count(client: SqlClient<never>, counted: { statements: number }): SqlClient<never> {
  const join = client.join.bind(client);
  client.join = async (tx) => {
    const joined = await join(tx);
    const run: typeof joined.run = (statement) => {
      counted.statements++;
      return joined.run(statement);
    };
    return { ...joined, run };
  };
  return client;
}

/** {@link openSender} for a process of its own. */
export const senders: ContenderModule<Parameters<typeof openSender>> = {
  url: import.meta.url,
  open: openSender,
};
