import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.js';

/** The client of an application. */
export function openPrisma(url: string, max: number): PrismaClient {
  const adapter = new PrismaPg({ connectionString: url, max });
  // On a busy machine a transaction may wait and last longer than by default.
  return new PrismaClient({ adapter, transactionOptions: { maxWait: 60_000, timeout: 60_000 } });
}
