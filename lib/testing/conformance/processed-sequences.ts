import type { ProcessedSequences } from '../../receiver/index.js';
import type { TestRunner } from './test-runner.js';

/** The store of one test. */
export interface ProcessedSequencesFixture {
  /** Two stores that share their records, as two processes do; the same one twice for a store of one process. */
  readonly stores: readonly [ProcessedSequences, ProcessedSequences];
  close(): Promise<void>;
}

/** The implementation under test. */
export interface ProcessedSequencesUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** Called once for each test. */
  makeFixture(): Promise<ProcessedSequencesFixture>;
  /**
   * Lets these milliseconds pass, where the store has a clock of its own, as Redis does. Default: does nothing; the suite
   * gives later times.
   */
  pass?(milliseconds: number): Promise<void>;
}

const LEASE_MS = 200;
const HOUR_MS = 3_600_000;
const CLAIMS = 40;

/** Defines the tests that every {@link ProcessedSequences} must pass. */
export function processedSequencesConformance(
  { name, makeFixture, pass = async () => undefined }: ProcessedSequencesUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (title: string, body: (fixture: ProcessedSequencesFixture) => Promise<void>) =>
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
  const claimOf = (sequence: number, key = 'article:1', receiver = 'store') => ({
    receiver,
    key,
    sequence,
    token: `try-${++count}`,
  });

  describe(`${name}: every store of processed sequences`, () => {
    test('claims a key for one message at a time', async ({ stores: [one, other] }) => {
      expect(await one.claim(claimOf(1), at(0))).toBe('claimed');
      expect(await one.claim(claimOf(2), at(0))).toBe('in-progress');
      expect(await other.claim(claimOf(1), at(1))).toBe('in-progress');
    });

    test('reports what is not newer than the processed message as older, in every process', async ({
      stores: [one, other],
    }) => {
      const claim = claimOf(5);
      await one.claim(claim, at(0));
      await one.complete(claim, at(0));

      for (const store of [one, other]) {
        expect(await store.claim(claimOf(4), at(1))).toBe('older');
        expect(await store.claim(claimOf(5), at(1))).toBe('older');
      }
      expect(await other.claim(claimOf(6), at(1))).toBe('claimed');
      expect(await one.claim(claimOf(5), at(1))).toBe('older');
    });

    test('lets a released key be claimed again, by older messages too', async ({
      stores: [one, other],
    }) => {
      const claim = claimOf(5);
      await one.claim(claim, at(0));
      await one.release(claim);

      expect(await other.claim(claimOf(4), at(0))).toBe('claimed');
    });

    test('keeps the number when a later message fails', async ({ stores: [one] }) => {
      const [first, second] = [claimOf(5), claimOf(6)];
      await one.claim(first, at(0));
      await one.complete(first, at(0));
      await one.claim(second, at(0));
      await one.release(second);

      expect(await one.claim(claimOf(5), at(0))).toBe('older');
      expect(await one.claim(claimOf(6), at(0))).toBe('claimed');
    });

    test('distinguishes keys and receivers', async ({ stores: [one] }) => {
      const keys = ['article:1', 'Article:1', 'article:1 ', 'ü.:"\\', 'a'.repeat(255)];
      for (const receiver of ['store', 'Store', 'bank']) {
        for (const key of keys) {
          expect(await one.claim(claimOf(1, key, receiver), at(0))).toBe('claimed');
        }
      }
    });

    test('gives the key to one of many concurrent claims', async ({ stores }) => {
      const first = claimOf(1);
      await stores[0].claim(first, at(0));
      await stores[0].complete(first, at(0));
      const results = await Promise.all(
        Array.from({ length: CLAIMS }, (_, index) =>
          stores[index % 2]!.claim(claimOf(2 + index), at(0)),
        ),
      );

      expect(results.filter((result) => result === 'claimed')).toHaveLength(1);
      expect(results.filter((result) => result === 'in-progress')).toHaveLength(CLAIMS - 1);
    });

    test('gives a key whose claim has expired to another attempt', async ({
      stores: [one, other],
    }) => {
      const late = claimOf(2);
      await one.claim(late, at(0, LEASE_MS));
      await pass(LEASE_MS + 50);
      expect(await other.claim(claimOf(1), at(LEASE_MS + 50))).toBe('claimed');
      await one.release(late);
      expect(await one.claim(claimOf(3), at(LEASE_MS + 51))).toBe('in-progress');
    });

    test('lets an expired claim record its number, and never lowers one', async ({
      stores: [one, other],
    }) => {
      const [late, next] = [claimOf(2), claimOf(3)];
      await one.claim(late, at(0, LEASE_MS));
      await pass(LEASE_MS + 50);
      await other.claim(next, at(LEASE_MS + 50));
      await one.complete(late, at(LEASE_MS + 50));
      expect(await one.claim(claimOf(2), at(LEASE_MS + 51))).toBe('older');
      expect(await one.claim(claimOf(4), at(LEASE_MS + 51))).toBe('in-progress');
      await other.complete(next, at(LEASE_MS + 51));
      await one.complete(late, at(LEASE_MS + 52));
      expect(await one.claim(claimOf(3), at(LEASE_MS + 53))).toBe('older');
    });

    test('holds the greatest numbers that JavaScript counts with', async ({ stores: [one] }) => {
      const claim = claimOf(Number.MAX_SAFE_INTEGER - 1);
      await one.claim(claim, at(0));
      await one.complete(claim, at(0));

      expect(await one.claim(claimOf(Number.MAX_SAFE_INTEGER - 1), at(0))).toBe('older');
      expect(await one.claim(claimOf(Number.MAX_SAFE_INTEGER), at(0))).toBe('claimed');
    });
  });
}
