import type { ReceivedMessages } from '../../receiver/index.js';
import type { TestRunner } from './test-runner.js';

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
const HOUR_MS = 3_600_000;
const CLAIMS = 40;

/** Defines the tests that every {@link ReceivedMessages} must pass. */
export function receivedMessagesConformance(
  { name, makeFixture, pass = async () => undefined }: ReceivedMessagesUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (title: string, body: (fixture: ReceivedMessagesFixture) => Promise<void>) =>
    it(title, async () => {
      const fixture = await makeFixture();
      try {
        await body(fixture);
      } finally {
        await fixture.close();
      }
    });
  const start = Date.now();
  const at = (now: number, lease = HOUR_MS, kept = HOUR_MS) => ({
    now: start + now,
    leasedUntil: start + now + lease,
    keptUntil: start + now + kept,
  });
  let count = 0;
  const claimOf = (id = 'msg_1', receiver = 'store') => ({ receiver, id, token: `try-${++count}` });

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
      await one.claim(claim, at(0));
      await one.complete(claim, at(1));

      expect(await one.claim(claimOf(), at(2))).toBe('processed');
      expect(await other.claim(claimOf(), at(3))).toBe('processed');
    });

    test('lets a released message be claimed again at once', async ({ stores: [one, other] }) => {
      const claim = claimOf();
      await one.claim(claim, at(0));
      await one.release(claim);

      expect(await other.claim(claimOf(), at(0))).toBe('claimed');
      expect(await one.claim(claimOf(), at(0))).toBe('in-progress');
    });

    test('distinguishes messages by receiver and id', async ({ stores: [one] }) => {
      const ids = [
        'msg_1',
        'MSG_1',
        'msg_1 ',
        'msg',
        `${'long'.repeat(500)}1`,
        `${'long'.repeat(500)}2`,
        'ü.:"\\',
      ];
      for (const receiver of ['store', 'Store', 'bank']) {
        for (const id of ids) expect(await one.claim(claimOf(id, receiver), at(0))).toBe('claimed');
      }
      expect(await one.claim(claimOf('MSG_1', 'bank'), at(0))).toBe('in-progress');
    });

    test('gives the message to one of many concurrent claims', async ({ stores }) => {
      const results = await Promise.all(
        Array.from({ length: CLAIMS }, (_, index) => stores[index % 2]!.claim(claimOf(), at(0))),
      );

      expect(results.filter((result) => result === 'claimed')).toHaveLength(1);
      expect(results.filter((result) => result === 'in-progress')).toHaveLength(CLAIMS - 1);
    });

    test('gives a message whose claim has expired to one other attempt', async ({ stores }) => {
      await stores[0].claim(claimOf(), at(0, LEASE_MS));
      await pass(LEASE_MS + 50);
      const results = await Promise.all(
        Array.from({ length: CLAIMS }, (_, index) =>
          stores[index % 2]!.claim(claimOf(), at(LEASE_MS + 50)),
        ),
      );

      expect(results.filter((result) => result === 'claimed')).toHaveLength(1);
    });

    test('lets an expired claim not release the one after it', async ({ stores: [one, other] }) => {
      const late = claimOf();
      await one.claim(late, at(0, LEASE_MS));
      await pass(LEASE_MS + 50);
      await other.claim(claimOf(), at(LEASE_MS + 50));
      await one.release(late);

      expect(await one.claim(claimOf(), at(LEASE_MS + 51))).toBe('in-progress');
    });

    test('lets an expired claim still complete', async ({ stores: [one, other] }) => {
      const late = claimOf();
      await one.claim(late, at(0, LEASE_MS));
      await pass(LEASE_MS + 50);
      await one.complete(late, at(LEASE_MS + 50));

      expect(await other.claim(claimOf(), at(LEASE_MS + 51))).toBe('processed');
    });

    test('does not release a processed message', async ({ stores: [one] }) => {
      const claim = claimOf();
      await one.claim(claim, at(0));
      await one.complete(claim, at(1));
      await one.release(claim);

      expect(await one.claim(claimOf(), at(2))).toBe('processed');
    });

    test('forgets a processed message in the end', async ({ stores: [one] }) => {
      const claim = claimOf();
      await one.claim(claim, at(0));
      await one.complete(claim, at(0, HOUR_MS, LEASE_MS));
      await pass(LEASE_MS + 50);

      expect(await one.claim(claimOf(), at(LEASE_MS + 50))).toBe('claimed');
    });

    test('releasing what was never claimed does nothing', async ({ stores: [one] }) => {
      await one.release(claimOf());

      expect(await one.claim(claimOf(), at(0))).toBe('claimed');
    });
  });
}
