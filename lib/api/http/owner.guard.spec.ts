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
      warn: silent,
      error: (line: string) => void logged.push(line),
    });
  });

  afterEach(() => Logger.overrideLogger(new Logger()));

  const ask = (answer: unknown) => {
    const context = { switchToHttp: () => ({ getRequest: () => ({}) }) };
    return new OwnerGuard({ owner: () => answer }).canActivate(context as ExecutionContext);
  };

  it.each([null, 'ada', '7', 'nan', 'undefined-1', 'nullable'])('takes %o', async (answer) => {
    await expect(ask(answer)).resolves.toBe(true);
  });

  it.each([undefined, ''])('lets nobody in for %o', async (answer) => {
    await expect(ask(answer)).rejects.toThrow(UnauthorizedException);
  });

  it.each(['undefined', 'null', 'NaN', '[object Object]', '[object Promise]', 7, Number.NaN, {}])(
    'takes %o for a mistake, since every caller without a user would share it',
    async (answer) => {
      await expect(ask(answer)).rejects.toThrow(InternalServerErrorException);
      expect(logged).toHaveLength(1);
      expect(logged[0]).toContain('api.owner');
    },
  );
});
