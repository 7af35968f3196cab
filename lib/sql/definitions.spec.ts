import { describe, expect, it } from 'vitest';
import { fromDrizzle, fromPg, fromPrisma } from './index.js';

const url = 'postgres://127.0.0.1:1/none';
const prisma = (provider: string) => ({
  $connect: async () => undefined,
  $queryRawUnsafe: async () => [],
  _activeProvider: provider,
});

describe('the definition of a client', () => {
  it.each([
    ['url', () => fromPrisma('PRISMA', { url: undefined })],
    ['url', () => fromPrisma('PRISMA', {} as never)],
    ['connections', () => fromPrisma('PRISMA', { url, connections: 1 })],
    ['connections', () => fromPrisma('PRISMA', { pool: 'POOL', connections: 2 } as never)],
    ['schema', () => fromPg('POOL', { schema: '' })],
    ['ulr', () => fromDrizzle('DB', { ulr: url } as never)],
  ])('names the wrong option: %s', (option, define) => {
    expect(define).toThrow(expect.objectContaining({ code: 'THORN_OPTION_INVALID' }) as Error);
    expect(define).toThrow(`\`${option}\``);
  });

  it('refuses a client that is undefined, as of a circular import', () => {
    expect(() => fromPrisma(undefined as never, { url })).toThrow('imported in a circle');
  });

  it('refuses other databases', async () => {
    const unsupported = { code: 'THORN_DATABASE_UNSUPPORTED' };
    expect(() => fromPrisma('PRISMA', { url: 'sqlserver://127.0.0.1/shop' })).toThrow(
      expect.objectContaining(unsupported) as Error,
    );
    for (const given of [prisma('sqlserver'), prisma('mysql')]) {
      const other = fromPrisma(given, { url });
      await expect(other.useFactory()).rejects.toMatchObject(unsupported);
    }
  });

  it('refuses a schema on MariaDB, which has none', async () => {
    const onMariadb = { url: 'mysql://127.0.0.1:1/none', schema: 'thorn' };
    await expect(fromPrisma(prisma('mysql'), onMariadb).useFactory()).rejects.toThrow(
      '`schema` of fromPrisma() works with PostgreSQL alone, not with MariaDB',
    );
  });

  it('injects by token, or what a factory takes', async () => {
    const byToken = fromPrisma('PRISMA', { url });
    expect(byToken.inject).toEqual(['PRISMA']);
    const client = await byToken.useFactory(prisma('postgresql'));
    expect(client.name).toBe('Prisma');
    const useFactory = (one: ReturnType<typeof prisma>) => one;
    const byFactory = fromPrisma({ inject: ['A'], useFactory }, { pool: 'POOL' });
    expect(byFactory.inject).toEqual(['A', 'POOL']);
    await expect(byFactory.useFactory(prisma('postgresql'), {})).rejects.toMatchObject({
      code: 'THORN_OPTION_INVALID',
    });
  });
});
