import type {
  Attempt,
  AttemptRecord,
  DeliveryLog,
  LoggedAttempt,
} from '../../lib/delivery/index.js';
import { attemptRecordOf } from '../../lib/delivery/index.js';
import { seededRandom } from '../support/seeded-random.js';
import type { TestRunner } from '../../lib/testing/index.js';

/** The strategy's part: stores the attempts that the log keeps, and reads them back. */
export interface AttemptStore {
  /** Stores those that `log` keeps. Of one delivery's attempts with the same number, the first to come stays. */
  write(attempts: readonly LoggedAttempt[], log: DeliveryLog): Promise<void>;
  /** Attempts of a delivery, oldest first. */
  read(delivery: string): Promise<readonly AttemptRecord[]>;
}

/** The empty log of one test. */
export interface DeliveryLogFixture {
  /** Creates the log of one more process. */
  makeLog(): DeliveryLog;
  /** Store of the attempts that the log keeps. Default: in memory. */
  readonly store?: AttemptStore;
  close(): Promise<void>;
}

/** The implementation under test. */
export interface DeliveryLogUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  makeFixture(): Promise<DeliveryLogFixture>;
  /** Tells whether an attempt must be remembered, wherever. Default: always. */
  remembers?(attempt: LoggedAttempt): boolean;
}

const NOW = 1_700_000_000_000;
const RACES = 20;

/** Defines the tests that every {@link DeliveryLog} must pass. */
export function deliveryLogConformance(
  { name, makeFixture, remembers = () => true }: DeliveryLogUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (title: string, body: (shared: Processes) => Promise<void>) =>
    it(title, async () => {
      const { makeLog, store = inMemory(), close } = await makeFixture();
      const processes: Processes = { makeProcess: () => new LoggingProcess(makeLog(), store) };
      await body(processes).finally(close);
    });
  const expected = (attempts: readonly LoggedAttempt[]) =>
    attempts.filter(remembers).map(({ number, attempt }) => attemptRecordOf(number, attempt));

  describe(`${name}: every delivery log`, () => {
    test('remembers the expected attempts, oldest first, and no others', async (shared) => {
      const one = shared.makeProcess();
      const attempts = everyKind('dlv_one');
      for (const attempt of attempts) await one.record([attempt]);
      expect(await one.attemptsOf('dlv_one')).toEqual(expected(attempts));
    });

    test('accepts sets of attempts of many deliveries', async (shared) => {
      const one = shared.makeProcess();
      const deliveries = Array.from({ length: 50 }, (_, index) => everyKind(`dlv_${index}`));
      const rounds = deliveries[0]!.map((_, round) => deliveries.map((all) => all[round]!));
      for (const round of rounds) await one.record(round);
      for (const [index, attempts] of deliveries.entries()) {
        expect(await one.attemptsOf(`dlv_${index}`)).toEqual(expected(attempts));
      }
    });

    test('has no attempts of an unknown delivery', async (shared) => {
      const one = shared.makeProcess();
      await one.record(everyKind('dlv_one').slice(0, 1));
      expect(await one.attemptsOf('dlv_two')).toEqual([]);
      await one.record([]);
      expect(await one.attemptsOf('dlv_')).toEqual([]);
    });

    test('shows one process what another has recorded', async (shared) => {
      const [one, other] = [shared.makeProcess(), shared.makeProcess()];
      const attempts = everyKind('dlv_one');
      for (const [index, attempt] of attempts.entries()) {
        await (index % 2 === 0 ? one : other).record([attempt]);
      }
      expect(await one.attemptsOf('dlv_one')).toEqual(expected(attempts));
      expect(await shared.makeProcess().attemptsOf('dlv_one')).toEqual(expected(attempts));
    });

    test('keeps attempts apart that several processes record at once', async (shared) => {
      const processes = Array.from({ length: 4 }, () => shared.makeProcess());
      await Promise.all(
        processes.map(async (one, of) => {
          const deliveries = Array.from({ length: 10 }, (_, n) => everyKind(`dlv_${of}_${n}`));
          await Promise.all(
            deliveries.map(async (attempts) => {
              for (const attempt of attempts) await one.record([attempt]);
            }),
          );
        }),
      );
      for (const of of processes.keys()) {
        for (let n = 0; n < 10; n++) {
          const id = `dlv_${of}_${n}`;
          expect(await processes[0]!.attemptsOf(id)).toEqual(expected(everyKind(id)));
        }
      }
    });

    test('remembers one of two attempts that are recorded at once with the same number', async (shared) => {
      const [one, other] = [shared.makeProcess(), shared.makeProcess()];
      for (let race = 0; race < RACES; race++) {
        const id = `dlv_race_${race}`;
        // As when a process that was paused beyond its lease comes back.
        const mine = logged(id, 1, { status: 500, response: Buffer.from('mine') });
        const theirs = logged(id, 1, { status: 503, response: Buffer.from('theirs') });
        await Promise.all([one.record([mine]), other.record([theirs])]);
        const found = await one.attemptsOf(id);
        expect(found).toHaveLength(expected([mine]).length);
        const either = [...expected([mine]), ...expected([theirs])];
        const responses = new Set(either.map(({ response }) => response));
        expect(found.every(({ response }) => responses.has(response))).toBe(true);
        expect(await other.attemptsOf(id)).toEqual(found);
      }
    });

    test('shows whole attempts in their order while others are being recorded', async (shared) => {
      const [writer, reader] = [shared.makeProcess(), shared.makeProcess()];
      const attempts = Array.from({ length: 40 }, (_, index) =>
        logged('dlv_one', index + 1, { status: 500, response: Buffer.from(`answer ${index}`) }),
      );
      const whole = expected(attempts);
      const writing = { isOver: false };
      const reading = (async () => {
        while (!writing.isOver) {
          const found = await reader.attemptsOf('dlv_one');
          expect(found).toEqual(whole.slice(0, found.length));
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      for (const attempt of attempts) await writer.record([attempt]);
      writing.isOver = true;
      await reading;
      expect(await reader.attemptsOf('dlv_one')).toEqual(whole);
    });

    test('accepts any response of an endpoint', async (shared) => {
      const one = shared.makeProcess();
      const answers = [
        Buffer.alloc(0),
        Buffer.from('\0 in the middle \0'),
        Buffer.from([0xff, 0xfe, 0x80, 0xc3]),
        Buffer.from('Grüße, 🎉').subarray(0, -2),
        Buffer.from(`'"\\; DROP TABLE "x" ? $1 :id {}`),
        Buffer.alloc(16_384, 'é'),
      ];
      const attempts = answers.map((answer, index) =>
        logged('dlv_one', index + 1, { status: 500, response: answer }),
      );
      await one.record(attempts.slice(0, 3));
      await one.record(attempts.slice(3));
      expect(await one.attemptsOf('dlv_one')).toEqual(expected(attempts));
    });

    test('judges an attempt alike in every process and in any order', async (shared) => {
      const asked = everyKind('dlv_one');
      const one = shared.makeProcess().log;
      const inOrder = asked.map((attempt) => one.keeps(attempt));
      const random = seededRandom(7);
      const shuffled = asked
        .map((attempt, index) => ({ attempt, index, key: random() }))
        .sort((a, b) => a.key - b.key);
      const other = shared.makeProcess().log;
      for (const { attempt, index } of shuffled) {
        expect(other.keeps(attempt)).toBe(inOrder[index]);
      }
    });

    test('does not change its arguments', async (shared) => {
      const attempts = everyKind('dlv_one');
      const before = structuredClone(attempts);
      await shared.makeProcess().record(attempts);
      expect(structuredClone(attempts)).toEqual(before);
    });
  });
}

interface Processes {
  readonly makeProcess: () => LoggingProcess;
}

/** Records and reads attempts as a strategy does. */
class LoggingProcess {
  constructor(
    readonly log: DeliveryLog,
    private readonly store: AttemptStore,
  ) {}

  async record(attempts: readonly LoggedAttempt[]): Promise<void> {
    await this.store.write(attempts, this.log);
    await this.log.written?.(attempts);
  }

  attemptsOf(delivery: string): Promise<readonly AttemptRecord[]> {
    return this.log.attemptsOf(delivery, () => this.store.read(delivery));
  }
}

function inMemory(): AttemptStore {
  const rows = new Map<string, Map<number, AttemptRecord>>();
  return {
    async write(attempts, log) {
      for (const logged of attempts) {
        if (!log.keeps(logged)) continue;
        const { number, attempt } = logged;
        const numbers = rows.get(attempt.deliveryId) ?? new Map<number, AttemptRecord>();
        if (!numbers.has(number)) numbers.set(number, attemptRecordOf(number, attempt));
        rows.set(attempt.deliveryId, numbers);
      }
    },
    async read(delivery) {
      return [...(rows.get(delivery)?.values() ?? [])].sort((a, b) => a.number - b.number);
    },
  };
}

/** Attempts of one delivery, one after the other, of every kind that there is. */
function everyKind(delivery: string): LoggedAttempt[] {
  const refused = { code: 'recipient-refused', message: 'a private address' } as const;
  const timeout = { code: 'timeout', message: 'no answer within 3000 ms' } as const;
  return [
    logged(delivery, 1, { status: 500, response: Buffer.from('oh') }),
    logged(delivery, 2, { status: null, error: timeout, address: null }),
    logged(delivery, 3, { status: 429, retryAfter: '5', answerHeaders: { 'retry-after': '5' } }),
    logged(delivery, 4, { status: null, error: refused, address: '10.0.0.1' }),
    logged(delivery, 5, { status: 302 }),
    logged(delivery, 6, { status: 200, outcome: 'succeeded', response: Buffer.from('thanks') }),
    // Retried by hand.
    logged(delivery, 7, { status: 410 }),
  ];
}

function logged(delivery: string, number: number, different: Partial<Attempt>): LoggedAttempt {
  const attempt: Attempt = {
    deliveryId: delivery,
    messageId: `msg_${delivery}`,
    event: 'order.paid',
    subscriberId: 'sub_one',
    outcome: 'failed',
    status: null,
    error: null,
    startedAt: NOW + number,
    duration: 1.5 * number,
    response: Buffer.alloc(0),
    answerHeaders: null,
    retryAfter: null,
    address: '203.0.113.7',
    ...different,
  };
  const isLast = attempt.status === 410;
  const status = isLast ? 'failed' : attempt.outcome === 'succeeded' ? 'succeeded' : 'pending';
  return { number, attempt, status, host: 'example.com' };
}
