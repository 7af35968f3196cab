import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TypeOrmClient } from '../../lib/database/typeorm-client.js';
import { thornEntities, thornMigrations } from '../../lib/typeorm/index.js';
import { DatabaseLinkStore, InMemoryLinkStore, PortalLinks } from '../../lib/portal/index.js';
import { MovableClock } from '../../lib/testing/index.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';

const MINUTE = 60_000;

describe.each(['none', 'memory', 'postgres', 'mariadb'] as const)('links on %s', (kind) => {
  let database: TestDatabase | undefined;
  let dataSource: DataSource | undefined;
  beforeAll(async () => {
    if (kind === 'none') return;
    database = await createDatabase(kind);
    dataSource = await new DataSource({
      ...database.options,
      entities: thornEntities,
      migrations: thornMigrations,
    }).initialize();
    await dataSource.runMigrations();
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });
  const start = () => {
    const clock = new MovableClock();
    const store =
      dataSource === undefined
        ? new InMemoryLinkStore()
        : new DatabaseLinkStore(new TypeOrmClient(dataSource));
    return { clock, links: new PortalLinks(store, clock) };
  };

  it('exchanges a code once, however many ask at the same time', async () => {
    const { links } = start();
    const { code } = await links.create('once', ['read', 'test'], MINUTE);
    const answers = await Promise.all(Array.from({ length: 8 }, () => links.exchange(code)));
    const [session, ...others] = answers.filter((one) => one !== null);
    expect(others).toEqual([]);
    expect(await links.session(session!.token)).toMatchObject({
      owner: 'once',
      capabilities: ['read', 'test'],
    });
    expect(await links.exchange(code)).toBeNull();
    // Neither is good for the other's purpose.
    expect(await links.exchange(session!.token)).toBeNull();
    expect(await links.session(code)).toBeNull();
  });

  it('ends codes at their time, and sessions after an hour', async () => {
    const { clock, links } = start();
    const late = await links.create('late', ['read'], MINUTE);
    clock.advance(1);
    const { code } = await links.create('late', ['read'], MINUTE);
    const session = (await links.exchange(code))!;
    expect(await links.list('late')).toMatchObject([{ usedAt: null }, { usedAt: clock.now() }]);
    clock.advance(MINUTE);
    expect(await links.exchange(late.code)).toBeNull();
    expect(await links.list('late')).toHaveLength(1);
    clock.advance(59 * MINUTE - 1);
    expect(await links.session(session.token)).not.toBeNull();
    clock.advance(1);
    expect(await links.session(session.token)).toBeNull();
    expect(await links.list('late')).toEqual([]);
  });

  it('revokes links and sessions of one owner, or one of them', async () => {
    const { links } = start();
    const open = await links.create('ada', ['read'], MINUTE);
    const { code } = await links.create('ada', ['read'], MINUTE);
    const session = (await links.exchange(code))!;
    const other = await links.create('ida', ['read'], MINUTE);
    expect(await links.revoke({ owner: 'ada' })).toBe(2);
    expect(await links.session(session.token)).toBeNull();
    expect(await links.exchange(open.code)).toBeNull();
    expect(await links.revoke({ id: other.id })).toBe(1);
    expect(await links.exchange(other.code)).toBeNull();
    expect(await links.revoke({ owner: 'ada' })).toBe(0);
  });

  it('keeps no code and no token', async () => {
    const { links } = start();
    const { code } = await links.create('eve', ['read'], MINUTE);
    const { token } = (await links.exchange(code))!;
    const kept = JSON.stringify(await links.list('eve'));
    expect(kept).toContain('eve');
    for (const secret of [code, token]) expect(kept).not.toContain(secret.slice(4));
  });
});
