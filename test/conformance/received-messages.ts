import type { MessageClaim, ReceivedMessages } from '../../lib/receiver/index.js';
import type { TestRunner } from '../../lib/testing/index.js';

/** The store of one test. */
export interface ReceivedMessagesFixture {
  /** Two stores that share their records, as two processes do; the same one twice for a store of one process. */
  readonly stores: readonly [ReceivedMessages, ReceivedMessages];
  close(): Promise<void>;
}

/** The implementation under test. */
export interface ReceivedMessagesUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** Called once for each test. */
  makeFixture(): Promise<ReceivedMessagesFixture>;
  /**
   * Lets these milliseconds pass, where the store has a clock of its own, as Redis does. Default: does nothing; the suite
   * gives later times.
   */
  pass?(milliseconds: number): Promise<void>;
}

const LEASE_MS = 200;
const LATER_MS = LEASE_MS + 50;
/** On a busy machine too, nothing is forgotten before it is looked for. */
const KEPT_MS = 1500;
const HOUR_MS = 3_600_000;
const CLAIMS = 40;
const GREATEST = Number.MAX_SAFE_INTEGER;
const NAMES = [
  ...['msg_1', 'MSG_1', 'msg_1 ', 'msg', 'ü.:"\\'],
  ...[`${'long'.repeat(500)}1`, `${'long'.repeat(500)}2`],
];

/** Defines the tests that every {@link ReceivedMessages} must pass. */
export function receivedMessagesConformance(
  { name, makeFixture, pass = async () => undefined }: ReceivedMessagesUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (title: string, body: (fixture: ReceivedMessagesFixture) => Promise<void>) =>
    it(title, async () => {
      const fixture = await makeFixture();
      await body(fixture).finally(() => fixture.close());
    });
  const start = Date.now();
  const at = (now: number, lease = HOUR_MS, kept = HOUR_MS) => ({
    now: start + now,
    leasedUntil: start + now + lease,
    keptUntil: start + now + kept,
  });
  let count = 0;
  const claimOf = (given: Partial<MessageClaim> = {}): MessageClaim => {
    const token = `try-${++count}`;
    return { kind: 'message', receiver: 'store', key: 'msg_1', sequence: 1, token, ...given };
  };
  const inOrder = (sequence: number) => claimOf({ kind: 'key', key: 'article:1', sequence });
  const process = async (store: ReceivedMessages, claim: MessageClaim) => {
    expect(await store.claim(claim, at(0))).toBe('claimed');
    await store.complete(claim, at(1));
  };

  describe(`${name}: every store of received messages`, () => {
    test('claims a message once; then it is in progress', async ({ stores: [one, other] }) => {
      expect(await one.claim(claimOf(), at(0))).toBe('claimed');
      expect(await one.claim(claimOf(), at(0))).toBe('in-progress');
      expect(await other.claim(claimOf(), at(1))).toBe('in-progress');
    });

    test('reports a completed message as processed, in every process', async ({
      stores: [one, other],
    }) => {
      const claim = claimOf();
      await process(one, claim);
      await one.release(claim);

      expect(await one.claim(claimOf(), at(2))).toBe('processed');
      expect(await other.claim(claimOf(), at(3))).toBe('processed');
    });

    test('lets a released message be claimed again at once', async ({ stores: [one, other] }) => {
      const claim = claimOf();
      await one.release(claim);
      await one.claim(claim, at(0));
      await one.release(claim);

      expect(await other.claim(claimOf(), at(0))).toBe('claimed');
      expect(await one.claim(claimOf(), at(0))).toBe('in-progress');
    });

    test('distinguishes kinds, receivers, ids and keys', async ({ stores: [one] }) => {
      for (const kind of ['message', 'key'] as const) {
        for (const receiver of ['store', 'Store', 'bank']) {
          for (const key of NAMES) {
            expect(await one.claim(claimOf({ kind, receiver, key }), at(0))).toBe('claimed');
          }
        }
      }
      const again = claimOf({ receiver: 'bank', key: 'MSG_1' });
      expect(await one.claim(again, at(0))).toBe('in-progress');
    });

    test('gives a message to one of many concurrent claims', async ({ stores }) => {
      const results = await Promise.all(
        Array.from({ length: CLAIMS }, (_, index) => stores[index % 2]!.claim(claimOf(), at(0))),
      );

      expect(results.filter((result) => result === 'claimed')).toHaveLength(1);
      expect(results.filter((result) => result === 'in-progress')).toHaveLength(CLAIMS - 1);
    });

    test('gives what is known already to one of many concurrent claims', async ({ stores }) => {
      await process(stores[0], inOrder(1));
      await stores[0].claim(inOrder(2), at(1, LEASE_MS));
      await pass(LATER_MS);
      const results = await Promise.all(
        Array.from({ length: CLAIMS }, (_, index) =>
          stores[index % 2]!.claim(inOrder(2 + index), at(LATER_MS)),
        ),
      );

      expect(results.filter((result) => result === 'claimed')).toHaveLength(1);
      expect(results.filter((result) => result === 'in-progress')).toHaveLength(CLAIMS - 1);
    });

    test('lets an expired claim not release the one after it', async ({ stores: [one, other] }) => {
      const late = claimOf();
      await one.claim(late, at(0, LEASE_MS));
      await pass(LATER_MS);
      expect(await other.claim(claimOf(), at(LATER_MS))).toBe('claimed');
      await one.release(late);

      expect(await one.claim(claimOf(), at(LATER_MS + 1))).toBe('in-progress');
    });

    test('lets an expired claim still complete', async ({ stores: [one, other] }) => {
      const late = claimOf();
      await one.claim(late, at(0, LEASE_MS));
      await pass(LATER_MS);
      await one.complete(late, at(LATER_MS));

      expect(await other.claim(claimOf(), at(LATER_MS + 1))).toBe('processed');
    });

    test('forgets what was processed in the end', async ({ stores: [one] }) => {
      for (const sequence of [5, 1]) {
        const claim = inOrder(sequence);
        expect(await one.claim(claim, at(0, KEPT_MS, KEPT_MS))).toBe('claimed');
        await one.complete(claim, at(0, HOUR_MS, KEPT_MS));
        expect(await one.claim(inOrder(sequence), at(1))).toBe('processed');
        await pass(KEPT_MS + 50);
        const next = inOrder(1);
        expect(await one.claim(next, at(KEPT_MS + 50, KEPT_MS, KEPT_MS))).toBe('claimed');
        await one.release(next);
      }
    });

    test('claims a key for one message at a time, whatever its number', async ({
      stores: [one, other],
    }) => {
      const claim = inOrder(5);
      await one.claim(claim, at(0));
      expect(await one.claim(inOrder(6), at(0))).toBe('in-progress');
      expect(await other.claim(inOrder(4), at(0))).toBe('in-progress');
      await one.release(claim);
      expect(await other.claim(inOrder(4), at(0))).toBe('claimed');
    });

    test('reports what is not newer than the last message of its key as processed', async ({
      stores: [one, other],
    }) => {
      await process(one, inOrder(5));

      for (const store of [one, other]) {
        expect(await store.claim(inOrder(4), at(1))).toBe('processed');
        expect(await store.claim(inOrder(5), at(1))).toBe('processed');
      }
      const next = inOrder(6);
      expect(await other.claim(next, at(1))).toBe('claimed');
      expect(await one.claim(inOrder(5), at(1))).toBe('processed');
      await other.release(next);
      expect(await one.claim(inOrder(5), at(1))).toBe('processed');
      expect(await one.claim(inOrder(6), at(1))).toBe('claimed');
    });

    test('lets an expired claim record its number, and never lowers one', async ({
      stores: [one, other],
    }) => {
      const [late, next] = [inOrder(2), inOrder(3)];
      await one.claim(late, at(0, LEASE_MS));
      await pass(LATER_MS);
      await other.claim(next, at(LATER_MS));
      await one.complete(late, at(LATER_MS));
      expect(await one.claim(inOrder(2), at(LATER_MS + 1))).toBe('processed');
      expect(await one.claim(inOrder(4), at(LATER_MS + 1))).toBe('in-progress');
      await other.complete(next, at(LATER_MS + 1));
      await one.complete(late, at(LATER_MS + 2));
      expect(await one.claim(inOrder(3), at(LATER_MS + 3))).toBe('processed');
    });

    test('holds the greatest numbers that JavaScript counts with', async ({ stores: [one] }) => {
      await process(one, inOrder(GREATEST - 1));

      expect(await one.claim(inOrder(GREATEST - 1), at(2))).toBe('processed');
      expect(await one.claim(inOrder(GREATEST), at(2))).toBe('claimed');
    });
  });
}
