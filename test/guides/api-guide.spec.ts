import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it, vi } from 'vitest';
import { Deliveries, outbox, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { owners, startApi } from '../support/apps/api-app.js';
import { sqliteAndPostgres } from '../support/databases.js';
import { partsOf } from './blocks.js';

const run = promisify(execFile);
// The guide's first page comes last: it deletes the subscriber that the others are about.
const guide = partsOf('docs/rest.md')
  .toReversed()
  .map((page) => readFileSync(page, 'utf8'))
  .join('\n');

it('runs every request of the guide as it stands', async () => {
  const store = await sqliteAndPostgres[0]!.create();
  const receiver = await ScriptedReceiver.start();
  const api = await startApi('express', {
    store,
    api: { ...owners, receivers: true },
    thorn: {
      dispatch: outbox({ pollInterval: 25, history: true }),
      recipients: { ...LOOPBACK_RECIPIENTS, allowedPorts: 'any' },
      // Where nothing listens: no request leaves the machine.
      http: {
        lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
      },
    },
  });
  try {
    const subscribed = { url: receiver.url, events: ['*'] };
    const { id, secret } = (await api.send('POST', '/hooks', { body: subscribed })).body;
    receiver.otherwise(500);
    const dispatcher = api.app.get(WebhookDispatcher);
    const sent = await dispatcher.send('article.created', {}, { owner: 'alice' });
    const delivery = await vi.waitFor(async () => {
      const { items } = await api.app.get(Deliveries).list({ subscriberId: id }, 'any');
      // Before, an attempt is under way, which a retry by hand meets.
      expect(items).toMatchObject([{ latestStatus: 500 }]);
      return items[0]!.id;
    });
    const values: Readonly<Record<string, string>> = {
      TOKEN: 'alice-token',
      ID: id,
      SECRET: secret,
      MESSAGE: sent.id,
      DELIVERY: delivery,
    };
    const blocks = [...guide.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block);
    const script = [`ID=${id}`, ...blocks]
      .join('\n')
      .replaceAll('http://localhost:3000', api.url)
      .replaceAll(/^([A-Z]+)=.*$/gm, (_, name: string) => `${name}=${values[name]}`)
      .replaceAll(/^curl /gm, `command curl -sS -o /dev/null -w '%{http_code}\\n' `);
    const { stdout } = await run('bash', ['-euc', script]);

    const statuses = stdout.trim().split('\n');
    expect(statuses).toHaveLength(guide.match(/^curl /gm)!.length);
    expect(statuses.filter((status) => !/^20[0124]$/.test(status))).toEqual([]);
  } finally {
    await api.app.close();
    await receiver.stop();
    await store.drop();
  }
});
