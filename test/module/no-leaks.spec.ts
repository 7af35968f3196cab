import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import {
  InvalidInputError,
  WebhookDispatcher,
  WebhookEvents,
  type WebhookEventName,
} from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import {
  OutputRecorder,
  callEveryRoute,
  SECRETS,
  signaturesIn,
} from '../support/output-recorder.js';
import { PAIRS } from '../support/places.js';

const NAMES: readonly WebhookEventName[] = [
  'message-accepted',
  'succeeded',
  'retry-scheduled',
  'failed',
  'subscriber-failing',
  'subscriber-disabled',
  'recipient-refused',
];

const clean: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one();
});

describe.each(PAIRS)('a whole run on $database and $platform', ({ create, platform }) => {
  it('reveals no secret, signature, authorization header or query string', async () => {
    const ears = new OutputRecorder();
    const receiver = await ScriptedReceiver.start();
    clean.push(() => receiver.stop());
    const store = await create();
    clean.push(() => store.drop());
    const api = await startApi(platform, {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        retries: { schedule: [20] },
        encryption: { keys: [{ id: 'one', key: SECRETS.key }] },
        unsubscribe: { url: 'https://api.example.com/hooks', secret: SECRETS.links },
        timeout: 500,
      },
      configure: (app) => app.useLogger(ears.logger),
    });
    clean.push(() => api.app.close());
    clean.push(ears.recordStreams());
    for (const name of NAMES) {
      clean.push(api.app.get(WebhookEvents).on(name, (facts) => ears.record(name, facts)));
    }
    const known: string[] = Object.values(SECRETS);

    known.push(...(await callEveryRoute(api, receiver, ears)));
    await aDayLater(api, receiver);

    known.push(...signaturesIn(receiver));
    expect(known.some((word) => /^[\w-]{55}$/.test(word))).toBe(true);
    known.push('alice-token', 'bob-token');
    expect(known.length).toBeGreaterThan(20);
    expect(ears.records.length).toBeGreaterThan(30);
    for (const table of [
      'thorn_subscribers',
      'thorn_messages',
      'thorn_deliveries',
      'thorn_attempts',
    ]) {
      for (const { url: _, ...row } of await api.app
        .get(DataSource)
        .query(`SELECT * FROM ${table}`)) {
        ears.record(table, JSON.stringify(row));
      }
    }
    expect(ears.find(known)).toEqual([]);
  });

  it('(control) detects a leaked secret', () => {
    const ears = new OutputRecorder();
    ears.logger.error('x', new InvalidInputError('url', `is ${SECRETS.given}`));
    ears.record('body', { deep: [{ a: { b: SECRETS.query } }] });
    expect(ears.find(Object.values(SECRETS))).not.toHaveLength(0);
  });
});

/** The database is gone: what is said of that. */
async function aDayLater(api: Api, receiver: ScriptedReceiver): Promise<void> {
  await api.send('GET', '/hooks');
  receiver.otherwise(500);
  await api.app.get(WebhookDispatcher).send('article.created', {}, { owner: 'alice' });
  await receiver.waitFor(receiver.received.length + 1);
}
