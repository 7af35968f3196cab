import { readFileSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Clock,
  inline,
  Subscribers,
  ThornModule,
  WebhookDispatcher,
  WebhookEvent,
  WebhookEvents,
} from '../../lib/index.js';
import {
  DispatchStrategy,
  type FormatInput,
  type FormattedRequest,
  RetryPolicy,
  type RetryQuestion,
  StandardRetryPolicy,
  WebhookFormat,
} from '../../lib/extending/index.js';
import {
  LOOPBACK_RECIPIENTS,
  MovableClock,
  RecordingStrategy,
  ScriptedReceiver,
  webhookFormatConformance,
} from '../../lib/testing/index.js';
import { retryPolicyConformance } from '../conformance/retry-policy.js';
import { describe, expect, it } from 'vitest';

@Injectable()
class Orders {
  @WebhookEvent('order.cancelled', { data: (order: { id: string }) => ({ id: order.id }) })
  async cancel(id: string): Promise<{ id: string }> {
    return { id };
  }
}

// Everything of docs/testing.md, as it stands there.
describe('the kit for users’ tests', () => {
  it('records what an application sends', async () => {
    const module = await Test.createTestingModule({
      imports: [ThornModule.forRoot({ dataSources: [], dispatch: RecordingStrategy })],
      providers: [Orders],
    }).compile();
    const app = await module.init();
    const webhooks = app.get<RecordingStrategy>(DispatchStrategy);

    await app.get(Orders).cancel('7');

    const sent = await webhooks.waitFor('order.cancelled');
    expect(sent.data).toEqual({ id: '7' });
    expect(webhooks.sent).toHaveLength(1);
    await app.close();
  });

  it('receives signed deliveries at a time that the test decides', async () => {
    const receiver = await ScriptedReceiver.start();
    const module = await Test.createTestingModule({
      imports: [
        ThornModule.forRoot({
          dataSources: [],
          dispatch: inline(),
          clock: MovableClock,
          recipients: LOOPBACK_RECIPIENTS,
        }),
      ],
    }).compile();
    const app = await module.init();
    const { secrets } = await app
      .get(Subscribers)
      .create({ url: receiver.url, events: ['order.*'] });
    const clock = app.get<MovableClock>(Clock);
    clock.set(Date.UTC(2030, 0, 1));
    receiver.answer(503, { status: 200, body: 'thank you' });

    await app.get(WebhookDispatcher).send('order.paid', { id: '7' });
    clock.advance(60_000);
    await app.get(WebhookDispatcher).send('order.shipped', { id: '7' });

    const [first, second] = await receiver.waitFor(2);
    expect(first!.isSignedWith(secrets[0]!.value)).toBe(true);
    expect(first!.headers['webhook-timestamp']).toBe(String(Date.UTC(2030, 0, 1) / 1000));
    expect(second!.json).toMatchObject({
      type: 'order.shipped',
      timestamp: '2030-01-01T00:01:00.000Z',
    });
    await app.close();
    await receiver.stop();
  });
});

class Patient extends RetryPolicy {
  override nextAttempt({ attempt, now, random, settings }: RetryQuestion): number | null {
    const max = settings === false ? 0 : (settings?.max ?? 3);
    return attempt > max ? null : now + 3_600_000 * (1 + random);
  }
}

class DiscordFormat extends WebhookFormat {
  override request({ event, data }: FormatInput): FormattedRequest {
    return { body: JSON.stringify({ content: `${event}: ${JSON.stringify(data)}` }) };
  }
}

webhookFormatConformance(
  { name: 'DiscordFormat', makeFormat: () => new DiscordFormat() },
  { describe, it, expect },
);

retryPolicyConformance(
  { name: 'Patient', makePolicy: () => new Patient() },
  { describe, it, expect },
);

describe('what the module provides', () => {
  it('injects the lifecycle events and a retry policy, the default or a custom one', async () => {
    const policies = [];
    for (const retryPolicy of [undefined, Patient]) {
      const module = await Test.createTestingModule({
        imports: [
          ThornModule.forRoot({
            dataSources: [],
            ...(retryPolicy === undefined
              ? { retries: { schedule: [1000], jitter: 0 } }
              : { retryPolicy }),
          }),
        ],
      }).compile();
      expect(module.get(WebhookEvents)).toBeInstanceOf(WebhookEvents);
      policies.push(module.get(RetryPolicy));
    }
    const [standard, own] = policies;
    expect(standard).toBeInstanceOf(StandardRetryPolicy);
    expect(own).toBeInstanceOf(Patient);
    const outcome = { outcome: 'failed' as const, status: 500, error: null, retryAfter: null };
    const question = { attempt: 1, outcome, now: 5, random: 0 };
    expect(standard!.nextAttempt(question)).toBe(1005);
    expect(standard!.nextAttempt({ ...question, attempt: 2 })).toBeNull();
  });

  it('rejects invalid retries at start-up', async () => {
    const compiling = Test.createTestingModule({
      imports: [ThornModule.forRoot({ dataSources: [], retries: { jitter: 3 } })],
    }).compile();

    await expect(compiling).rejects.toThrow('must be a number from 0 to 1');
  });
});

describe('docs/testing.md', () => {
  it('shows only code that is run above', () => {
    const [doc, spec] = ['../../docs/testing.md', './testing-kit.spec.ts'].map((path) =>
      readFileSync(new URL(path, import.meta.url), 'utf8'),
    );
    // Those that name their file are run in Jest and vitest by tools/try-package.mjs.
    const blocks = [...doc!.matchAll(/```ts\n(?!\/\/ )([^]*?)```/g)].map(([, block]) =>
      withoutBlanks(block!.replace(/^import .*$/gm, '')),
    );

    expect(blocks).toHaveLength(3);
    expect(blocks.filter((block) => !withoutBlanks(spec!).includes(block))).toEqual([]);
  });
});

/** Also without the `!` that only this project's compiler asks for: those of new applications let any index be read. */
function withoutBlanks(text: string): string {
  return text.replace(/\s+/g, '').replace(/!(?=[.[])/g, '');
}
