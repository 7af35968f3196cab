import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Subscribers,
  ThornModule,
  type ThornModuleExtras,
  WebhookDispatcher,
} from '../../../lib/index.js';
import type { ScriptedReceiver } from '../../../lib/testing/index.js';
import { SQL_CLIENTS } from '../sql-clients.js';
import { loopback } from './blog.js';

/** An application whose client is Prisma. None of its modules is of TypeORM. */
export interface PrismaApp {
  readonly app: INestApplication;
  begin(work: (tx: never) => Promise<void>): Promise<void>;
}

/** Starts an application that closes its client by itself. The tables have to be there. */
export async function startPrismaApp(
  url: string,
  dispatch: NonNullable<ThornModuleExtras['dispatch']>,
): Promise<PrismaApp> {
  const { open, define } = SQL_CLIENTS.find(({ name }) => name === 'Prisma 7')!;
  const client = await open(url, 2);
  const module = await Test.createTestingModule({
    imports: [
      ThornModule.forRoot({
        ...{ database: define(client.bare, url), dispatch, recipients: loopback, maxStaleness: 50 },
      }),
    ],
    providers: [{ provide: 'CLIENT', useValue: { onApplicationShutdown: () => client.close() } }],
  }).compile();
  const app = module.createNestApplication();
  app.useLogger(false);
  await app.init();
  return { app, begin: client.begin };
}

/**
 * Sends one message in a transaction that is rolled back, one in a transaction that commits, and one after them in none.
 *
 * @returns what arrived until the last of them had, and whether all was signed for the subscriber
 */
export async function sendInTransactions({ app, begin }: PrismaApp, receiver: ScriptedReceiver) {
  const { secrets } = await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
  const send = (tx: unknown, event: string) => app.get(WebhookDispatcher).send(event, {}, { tx });
  const error = new Error('rolled back');
  const undone = begin(async (tx) => {
    await send(tx, 'undone');
    throw error;
  });
  const thrown = await undone.catch((reason: unknown) => reason);
  if (thrown !== error) throw thrown;
  await begin(async (tx) => void (await send(tx, 'kept')));
  await receiver.waitFor(({ event }) => event === 'kept');
  await send(null, 'last');
  await receiver.waitFor(({ event }) => event === 'last');
  return {
    events: receiver.received.map(({ event }) => event),
    isSigned: receiver.received.every((webhook) => webhook.isSignedWith(secrets[0]!.value)),
  };
}
