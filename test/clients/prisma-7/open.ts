import { PrismaPg } from '@prisma/adapter-pg';
import type { Pool } from 'pg';
import { PrismaClient } from './generated/client.js';

/** The client of an application. */
export function openPrisma(url: string, max: number): PrismaClient {
  const adapter = new PrismaPg({ connectionString: url, max });
  // On a busy machine a transaction may wait and last longer than by default.
  return new PrismaClient({ adapter, transactionOptions: { maxWait: 60_000, timeout: 60_000 } });
}

/** On a pool of the application's. */
export const openPrismaOn = (pool: Pool) => new PrismaClient({ adapter: new PrismaPg(pool) });
