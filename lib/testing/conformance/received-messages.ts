import type { ReceivedMessages } from '../../receiver/index.js';
import type { TestRunner } from './test-runner.js';

/** A store with what surrounds it; used by one test alone. */
export interface ReceivedMessagesBench {
  /** Two that share what they remember, as two processes do; the same one twice where there is one process alone. */
  readonly stores: readonly [ReceivedMessages, ReceivedMessages];
  close(): Promise<void>;
}

/** The implementation under test. */
export interface ReceivedMessagesUnderTest {
  /** Heads the report. */
  readonly name: string;
  /** Called once a test. */
  makeBench(): Promise<ReceivedMessagesBench>;
  /**
   * Lets so many milliseconds pass, where the store has a clock of its own, as Redis does. Default: nothing is done, and
   * the times that the suite gives are later.
   */
  pass?(milliseconds: number): Promise<void>;
}

const LEASE_MS = 200;
const HOUR_MS = 3_600_000;
const CLAIMS = 40;

/** What every {@link ReceivedMessages} must do. */
export function receivedMessagesConformance(
  { name, makeBench, pass = async () => undefined }: ReceivedMessagesUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (title: string, body: (bench: ReceivedMessagesBench) => Promise<void>) =>
    it(title, async () => {
      const bench = await makeBench();
      try {
        await body(bench);
      } finally {
        await bench.close();
      }
    });
  const start = Date.now();
  const at = (now: number, duration = HOUR_MS) => ({
    now: start + now,
    until: start + now + duration,
  });
  let count = 0;
  const claimOf = (id = 'msg_1', receiver = 'store') => ({ receiver, id, token: `try-${++count}` });

  describe(`${name}: every store of received messages`, () => {
    test('a message is claimed once, and then in progress', async ({ stores: [one, other] }) => {
      expect(await one.claim(claimOf(), at(0))).toBe('claimed');
      expect(await one.claim(claimOf(), at(0))).toBe('in-progress');
      expect(await other.claim(claimOf(), at(1))).toBe('in-progress');
    });

    test('a completed message is processed, for everybody', async ({ stores: [one, other] }) => {
      const claim = claimOf();
      await one.claim(claim, at(0));
      await one.complete(claim, at(1));

      expect(await one.claim(claimOf(), at(2))).toBe('processed');
      expect(await other.claim(claimOf(), at(3))).toBe('processed');
    });

    test('a released message may be claimed again at once', async ({ stores: [one, other] }) => {
      const claim = claimOf();
      await one.claim(claim, at(0));
      await one.release(claim);

      expect(await other.claim(claimOf(), at(0))).toBe('claimed');
      expect(await one.claim(claimOf(), at(0))).toBe('in-progress');
    });

    test('messages of other receivers and other ids are other messages', async ({
      stores: [one],
    }) => {
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

    test('of many concurrent claims one gets the message', async ({ stores }) => {
      const results = await Promise.all(
        Array.from({ length: CLAIMS }, (_, index) => stores[index % 2]!.claim(claimOf(), at(0))),
      );

      expect(results.filter((result) => result === 'claimed')).toHaveLength(1);
      expect(results.filter((result) => result === 'in-progress')).toHaveLength(CLAIMS - 1);
    });

    test('a claim that has run out is up for one other try', async ({ stores }) => {
      await stores[0].claim(claimOf(), at(0, LEASE_MS));
      await pass(LEASE_MS + 50);
      const results = await Promise.all(
        Array.from({ length: CLAIMS }, (_, index) =>
          stores[index % 2]!.claim(claimOf(), at(LEASE_MS + 50)),
        ),
      );

      expect(results.filter((result) => result === 'claimed')).toHaveLength(1);
    });

    test('a claim that has run out cannot release the one after it', async ({
      stores: [one, other],
    }) => {
      const late = claimOf();
      await one.claim(late, at(0, LEASE_MS));
      await pass(LEASE_MS + 50);
      await other.claim(claimOf(), at(LEASE_MS + 50));
      await one.release(late);

      expect(await one.claim(claimOf(), at(LEASE_MS + 51))).toBe('in-progress');
    });

    test('a claim that has run out can still complete', async ({ stores: [one, other] }) => {
      const late = claimOf();
      await one.claim(late, at(0, LEASE_MS));
      await pass(LEASE_MS + 50);
      await one.complete(late, at(LEASE_MS + 50));

      expect(await other.claim(claimOf(), at(LEASE_MS + 51))).toBe('processed');
    });

    test('a processed message is not released', async ({ stores: [one] }) => {
      const claim = claimOf();
      await one.claim(claim, at(0));
      await one.complete(claim, at(1));
      await one.release(claim);

      expect(await one.claim(claimOf(), at(2))).toBe('processed');
    });

    test('a processed message is forgotten in the end', async ({ stores: [one] }) => {
      const claim = claimOf();
      await one.claim(claim, at(0));
      await one.complete(claim, at(0, LEASE_MS));
      await pass(LEASE_MS + 50);

      expect(await one.claim(claimOf(), at(LEASE_MS + 50))).toBe('claimed');
    });

    test('releasing what was never claimed does nothing', async ({ stores: [one] }) => {
      await one.release(claimOf());

      expect(await one.claim(claimOf(), at(0))).toBe('claimed');
    });
  });
}
