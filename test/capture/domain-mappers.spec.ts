import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';
import { AccountEntity, Accounts, SessionEntity } from '../support/fixtures/accounts.js';

describe.each(DATABASES_ALIKE)('an application with domain mappers on %s', (kind) => {
  let rig: CaptureApp;
  let accounts: Accounts;
  const warn = vi.spyOn(Logger.prototype, 'warn');

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [AccountEntity, SessionEntity]);
    accounts = new Accounts(rig.dataSource.manager);
  });
  afterAll(() => rig.close());
  beforeEach(() => void warn.mockReset().mockImplementation(() => undefined));

  it('sends the events of every way in which it writes, and no others', async () => {
    const { id } = await accounts.open('ada@example.com');
    const ada = (status: string, email = 'ada@example.com') =>
      JSON.stringify({ id, email, status });
    expect(rig.received()).toEqual([`account.opened ${ada('active')}`]);

    await accounts.change(id, { email: 'ada@example.org' });
    await accounts.change(id, {});
    expect(rig.received()).toEqual([`account.changed ${ada('active', 'ada@example.org')}`]);

    await accounts.block(id);
    await accounts.block(id);
    expect(rig.received()).toEqual([
      `account.changed ${ada('blocked', 'ada@example.org')}`,
      `account.blocked ${ada('blocked', 'ada@example.org')}`,
    ]);

    await accounts.close(id);
    await accounts.close(id);
    await accounts.reopen(id);
    expect(rig.received()).toEqual([
      `account.closed ${ada('blocked', 'ada@example.org')}`,
      `account.opened ${ada('blocked', 'ada@example.org')}`,
    ]);
    expect(warn).not.toHaveBeenCalled();
  });

  it('tells which rows a criterion on a relation has deleted, and whose they were', async () => {
    const { id } = await accounts.open('bob@example.com');
    const other = await accounts.open('eve@example.com');
    const [first, second] = [await accounts.logIn(id, 'a'), await accounts.logIn(id, 'b')];
    await accounts.logIn(id, 'c');
    await accounts.logIn(other.id, 'd');
    rig.received();

    await accounts.logOutElsewhere(id, second);
    await accounts.logOut(first);
    await accounts.logOut(second);
    expect(rig.bodies()).toMatchObject([
      { type: 'session.ended', owner: 'bob@example.com', data: { hash: 'a' } },
      { type: 'session.ended', owner: 'bob@example.com', data: { hash: 'c' } },
      { type: 'session.ended', owner: 'bob@example.com', data: { hash: 'b' } },
    ]);
  });

  it('sends what a unit of work has done when it commits', async () => {
    const work = rig.dataSource.transaction(async (manager) => {
      const within = new Accounts(manager);
      const { id } = await within.open('unit@example.com');
      await within.block(id);
      await within.close(id);
      await within.reopen(id);
      return id;
    });
    const id = await work;
    expect(rig.received()).toEqual([
      `account.opened {"id":${id},"email":"unit@example.com","status":"blocked"}`,
    ]);
  });
});
