import { ForbiddenException, type LoggerService } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { type Api, owners, platforms, startApi } from '../support/apps/api-app.js';

const cases = platforms.flatMap((platform) =>
  [true, false].map((problems) => ({ platform, problems })),
);

describe.each(cases)('api.owner that throws, on $platform, problems: $problems', (one) => {
  let api: Api;
  afterEach(() => api.app.close());

  async function start(owner: () => never): Promise<string[]> {
    const errors: string[] = [];
    const silent = () => undefined;
    const error = (line: unknown) => void errors.push(String(line));
    const logger: LoggerService = { log: silent, warn: silent, error };
    api = await startApi(one.platform, {
      api: { ...owners, owner, problems: one.problems },
      configure: (app) => app.useLogger(logger),
    });
    return errors;
  }

  it('is answered with 500 and no word of it, and explained once in the log', async () => {
    const errors = await start(() => {
      throw new TypeError("no 'id' at https://ada:secret@example.com/?token=secret");
    });
    const answers = [
      await api.send('GET', '/hooks'),
      await api.send('POST', '/hooks', { body: {} }),
    ];

    for (const { status, body } of answers) {
      expect(status).toBe(500);
      expect(body).toMatchObject(
        one.problems
          ? {
              status: 500,
              code: 'internal-error',
              detail: expect.stringMatching(/^Internal server error$/i) as unknown,
            }
          : { statusCode: 500 },
      );
      expect(JSON.stringify(body)).not.toMatch(/secret|'id'/);
    }
    expect(errors).toHaveLength(2);
    expect(errors.filter((line) => line.includes('api.owner'))).toEqual([
      "The option api.owner threw no 'id' at https://example.com/, and the caller got 500. If there may be no user, return undefined, as (request) => request.user?.id does. If there is one, make sure that a guard puts it on the request (api.guards).",
    ]);
    if (one.problems) expect(errors.join()).not.toContain('secret');
  });

  it('is answered as it says where it throws an exception of Nest', async () => {
    const errors = await start(() => {
      throw new ForbiddenException('no account');
    });
    const { status, body } = await api.send('GET', '/hooks');

    expect([status, body.detail ?? body.message]).toEqual([403, 'no account']);
    expect(errors).toEqual([]);
  });
});
