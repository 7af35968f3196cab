import {
  type ExecutionContext,
  InternalServerErrorException,
  Logger,
  UnauthorizedException,
} from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OwnerGuard } from './owner.guard.js';

describe('OwnerGuard', () => {
  let logged: string[] = [];

  beforeEach(() => {
    logged = [];
    const silent = () => undefined;
    Logger.overrideLogger({
      log: silent,
      warn: (line: string) => void logged.push(line),
      error: (line: string) => void logged.push(line),
    });
  });

  afterEach(() => Logger.overrideLogger(new Logger()));

  const settings = (owner: () => unknown, actor: () => unknown = () => undefined) => ({
    ...{ owner, actor },
    ownerFaults: new Set<'owner'>(),
  });
  const context = () =>
    ({ switchToHttp: () => ({ getRequest: () => ({}) }) }) as unknown as ExecutionContext;
  const ask = (answer: unknown) => new OwnerGuard(settings(() => answer)).canActivate(context());

  it.each([null, 'ada', '7', 'nan', 'undefined-1', 'nullable', 7, 0, 7n])(
    'accepts %o',
    async (answer) => {
      await expect(ask(answer)).resolves.toBe(true);
    },
  );

  it.each(['ada', '7', 7, 7n, undefined, 'x'.repeat(255), '\u05D0<b>'])(
    'accepts %o as who acts',
    async (actor) => {
      const guard = new OwnerGuard(
        settings(
          () => 'acme',
          () => actor,
        ),
      );
      await expect(guard.canActivate(context())).resolves.toBe(true);
    },
  );

  it.each([
    ...['', 'x'.repeat(256), '\u{1F600}'.repeat(128), 'a\r\nb', 'a\u0000b', '\uD800', 'undefined'],
    ...[null, Number.NaN, {}, [], true, Symbol('ada'), '[object Object]'],
  ])('rejects %o as who acts, and says what to return', async (actor) => {
    const guard = new OwnerGuard(
      settings(
        () => 'acme',
        () => actor,
      ),
    );
    await expect(guard.canActivate(context())).rejects.toThrow(InternalServerErrorException);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('Return a text of 1 to 255 characters');
  });

  it('logs the first undefined owner, with the fix', async () => {
    const guard = new OwnerGuard(settings(() => undefined));
    const context = { switchToHttp: () => ({ getRequest: () => ({}) }) } as ExecutionContext;
    await expect(guard.canActivate(context)).rejects.toThrow(UnauthorizedException);
    await expect(guard.canActivate(context)).rejects.toThrow(UnauthorizedException);
    expect(logged).toEqual([
      'The option api.owner returned undefined, and the caller got 401. If there is a user, make sure that a guard ' +
        'puts it on the request (api.guards), and that api.owner reads it from there.',
    ]);
  });

  it.each([undefined, ''])('rejects the caller for %o', async (answer) => {
    await expect(ask(answer)).rejects.toThrow(UnauthorizedException);
  });

  it.each([
    'undefined',
    'null',
    'NaN',
    '[object Object]',
    '[object Promise]',
    Number.NaN,
    {},
    true,
  ])(
    'rejects %o as a mistake, since every caller without a user would share the owner',
    async (answer) => {
      await expect(ask(answer)).rejects.toThrow(InternalServerErrorException);
      expect(logged).toHaveLength(1);
      expect(logged[0]).toContain('api.owner');
    },
  );
});
