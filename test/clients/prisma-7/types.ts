import { PrismaPg } from '@prisma/adapter-pg';
import type { WebhookDispatcher } from 'nestjs-thorn';
import type { VerifiedWebhook } from 'nestjs-thorn/receiver';
import {
  fromPg,
  fromPrisma,
  type PrismaTransaction,
  type SqlClientDefinition,
} from 'nestjs-thorn/sql';
import { PrismaClient } from './generated/client.js';

class PrismaService extends PrismaClient {
  constructor() {
    super({ adapter: new PrismaPg({ connectionString: 'postgres://host/name' }) });
  }
}

const prisma = new PrismaService();
const url = 'postgres://host/name';

export const definitions = [
  fromPrisma(prisma, { url }),
  fromPrisma(PrismaService, { url, connections: 2, schema: 'thorn' }),
  fromPrisma('PRISMA', { pool: 'POOL' }),
  fromPrisma({ inject: [PrismaService], useFactory: (service: PrismaService) => service }, { url }),
  fromPrisma(prisma.$extends({ name: 'extended' }), { url }),
  // @ts-expect-error Prisma shows no pool
  fromPrisma(prisma),
  // @ts-expect-error Prisma shows no pool
  fromPrisma(prisma, {}),
  // @ts-expect-error connections are those of the library's own pool
  fromPrisma(prisma, { pool: 'POOL', connections: 2 }),
  // @ts-expect-error no client of Prisma
  fromPrisma(PrismaPg, { url }),
];

export async function join(from: SqlClientDefinition): Promise<void> {
  const client = await fromPrisma(prisma, { url }).useFactory();
  const pg = await fromPg('POOL').useFactory();
  await prisma.$transaction(async (tx) => {
    await client.join(tx);
    // @ts-expect-error a transaction of another client
    await pg.join(tx);
  });
  await prisma.$extends({ name: 'extended' }).$transaction(async (tx) => client.join(tx));
  // @ts-expect-error in no transaction
  await client.join(prisma);
  // @ts-expect-error in no transaction
  await client.join(prisma.$extends({ name: 'extended' }));
  await (await from.useFactory()).join(prisma);
}

export async function processOnce(
  webhook: VerifiedWebhook<unknown, PrismaTransaction>,
): Promise<void> {
  await prisma.$transaction((tx) => webhook.processOnce(tx, async () => 'done'));
  // @ts-expect-error in no transaction
  await webhook.processOnce(prisma, async () => 'done');
}

export async function send(
  dispatcher: WebhookDispatcher<PrismaTransaction>,
  untyped: WebhookDispatcher,
): Promise<void> {
  const row = { table: 'orders', key: { id: 1 } };
  await prisma.$transaction(async (tx) => {
    await dispatcher.send('order.placed', {}, { tx, owner: 'ann' });
    await dispatcher.sendFor(row, 'order.placed', { tx });
  });
  await dispatcher.send('order.placed', {}, { tx: null });
  await untyped.send('order.placed');
  // @ts-expect-error names no transaction
  await dispatcher.send('order.placed');
  // @ts-expect-error names no transaction
  await dispatcher.send('order.placed', {}, { owner: 'ann' });
  // @ts-expect-error may be without a transaction
  await dispatcher.send('order.placed', {}, { tx: undefined });
  // @ts-expect-error names no transaction
  await dispatcher.sendFor(row, 'order.placed');
  // @ts-expect-error in no transaction
  await dispatcher.send('order.placed', {}, { tx: prisma });
}
