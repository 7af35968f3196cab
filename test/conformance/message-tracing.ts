import { SystemClock } from '../../lib/common/index.js';
import {
  Codecs,
  type Message,
  MessageFactory,
  type MessageTracing,
  type Recipient,
  type TracedAttempt,
  type TracedResult,
} from '../../lib/message/index.js';
import type { TestRunner } from '../../lib/testing/index.js';

/** The implementation under test. */
export interface MessageTracingUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  makeTracing(): MessageTracing;
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const RECIPIENT: Recipient = {
  id: 'sub_1',
  url: 'https://example.com/hooks?key=s3cret',
  contentType: 'application/json',
  digest: 'sha256',
  secrets: [],
};
// Stored by a process of any version, or by hand.
const STORED = [null, '', 'no trace', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`];
const RESULTS: readonly TracedResult[] = [
  { outcome: 'succeeded', status: 204, error: null },
  { outcome: 'failed', status: 500, error: null },
  { outcome: 'failed', status: null, error: { code: 'timeout' } },
];

/** Defines the tests that every {@link MessageTracing} must pass. */
export function messageTracingConformance(
  { name, makeTracing }: MessageTracingUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  describe(`${name}: every tracing`, () => {
    it('returns a trace context that can be stored, or null', async () => {
      for (const event of ['order.placed', 'user.Grüße %2E', 'a'.repeat(256)]) {
        const origin = makeTracing().made({ id: 'msg_1', event });
        expect(origin === null || TRACEPARENT.test(origin.traceparent)).toBe(true);
        expect(/^[\x20-\x7e]*$/.test(origin?.tracestate ?? '')).toBe(true);
      }
    });

    it('stores messages once, and passes errors on', async () => {
      const tracing = makeTracing();
      for (const messages of [[], [messageOf(null)], STORED.map((stored) => messageOf(stored))]) {
        let calls = 0;
        await tracing.stage(messages, async () => void calls++);
        expect(calls).toBe(1);
        const work = () => tracing.stage(messages, () => Promise.reject(new Error('rolled back')));
        await expect(work()).rejects.toMatchObject({ message: 'rolled back' });
      }
    });

    it('makes a request once, and passes on its result, whatever is stored', async () => {
      const tracing = makeTracing();
      for (const traceparent of STORED) {
        for (const url of [RECIPIENT.url, 'no URL']) {
          for (const result of RESULTS) {
            let calls = 0;
            const attempt = attemptOf(traceparent, { ...RECIPIENT, url });
            const passed = await tracing.attempt(attempt, async () => (calls++, result));
            expect(calls).toBe(1);
            expect(passed).toBe(result);
          }
        }
      }
    });

    it('sets no header of the library or of the message', async () => {
      const own = { traceparent: 'mine', Baggage: 'a=b' };
      const origin = makeTracing().made({ id: 'msg_1', event: 'a' });
      const attempt = attemptOf(origin?.traceparent ?? null, RECIPIENT, own);
      let names: readonly string[] = [];
      await makeTracing().attempt(attempt, async (headers) => {
        names = Object.keys(headers ?? {}).map((header) => header.toLowerCase());
        return RESULTS[0]!;
      });
      const refused =
        /^(?:webhook-|hook-|content-|host$|user-agent$|traceparent$|tracestate$|baggage$)/;
      expect(names.filter((header) => refused.test(header))).toEqual([]);
    });
  });
}

function messageOf(
  traceparent: string | null,
  headers: Readonly<Record<string, string>> = {},
): Message {
  const origin = traceparent === null ? null : { traceparent, tracestate: 'a=b,no member' };
  const tracing = { made: () => origin } as unknown as MessageTracing;
  const factory = new MessageFactory(new SystemClock(), new Codecs(), {}, tracing);
  return factory.create({ event: 'order.placed', data: { id: 1 }, headers });
}

function attemptOf(
  traceparent: string | null,
  recipient: Recipient,
  headers: Readonly<Record<string, string>> = {},
): TracedAttempt {
  const message = messageOf(traceparent, headers);
  return { message, recipient, delivery: 'dlv_1', number: null };
}
