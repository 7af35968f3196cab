import type { Message } from '../../message/index.js';
import { type MessageRelay, RelayWorker, type Ticket } from '../../outbox/index.js';
import type { TestRunner } from './test-runner.js';

/** Relays of two processes over one queue that nobody else uses; used by one test alone. */
export interface MessageRelayBench {
  /** Gives messages. */
  readonly producer: MessageRelay;
  /** Brings them to a worker. May be the same as `producer`. */
  readonly consumer: MessageRelay;
  /** Makes a new message. */
  makeMessage(): Message;
  /** Called once both are started, where something else has to begin then. */
  listen?(): Promise<void>;
  /** Makes the queue unreachable. Left out: what happens then is not tested. */
  cutOff?(): Promise<void>;
  /** Both relays have ended before. */
  close(): Promise<void>;
}

/** The implementation under test. */
export interface MessageRelayUnderTest {
  /** Heads the report. */
  readonly name: string;
  /** Called once a test. */
  makeBench(): Promise<MessageRelayBench>;
}

const ARRIVAL_DEADLINE_MS = 10_000;

/** Takes note of what it is given. */
class NotingWorker extends RelayWorker {
  readonly tickets: Ticket[] = [];
  /** What becomes of the next calls, first come, first served; of all others nothing. */
  readonly fates: (() => Promise<void>)[] = [];

  override async work(tickets: readonly Ticket[]): Promise<void> {
    this.tickets.push(...tickets);
    await this.fates.shift()?.();
  }
}

/** What every {@link MessageRelay} must do, beside the seldom losing of what it is given. */
export function messageRelayConformance(
  { name, makeBench }: MessageRelayUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (
    title: string,
    body: (bench: MessageRelayBench, worker: NotingWorker) => Promise<void>,
  ) =>
    it(title, async () => {
      const bench = await makeBench();
      const { producer, consumer } = bench;
      const worker = new NotingWorker();
      try {
        if (producer !== consumer) await producer.start(null);
        await consumer.start(worker);
        await bench.listen?.();
        await body(bench, worker);
      } finally {
        await Promise.all([...new Set([consumer, producer])].map(end));
        await bench.close();
      }
    });
  /** Gives messages that were released together. @returns their tickets, and what was refused */
  const give = async ({ producer, makeMessage }: MessageRelayBench, count: number) => {
    const messages = Array.from({ length: count }, () => makeMessage());
    const tickets = messages.map(({ id }, at): Ticket => ({ id, source: 0, lease: `lease-${at}` }));
    return { tickets, refused: await producer.carry(messages, tickets) };
  };
  /** Resolves once these have come, as they were given. */
  const arrival = async (worker: NotingWorker, tickets: readonly Ticket[]) => {
    const deadline = Date.now() + ARRIVAL_DEADLINE_MS;
    const missing = () => tickets.filter((one) => !worker.tickets.some(({ id }) => id === one.id));
    while (missing().length > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(missing()).toEqual([]);
    for (const { id, source, lease } of tickets) {
      expect(worker.tickets.find((one) => one.id === id)).toMatchObject({ source, lease });
    }
  };

  describe(`${name}: every relay`, () => {
    test('brings what it was given, as it was given', async (bench, worker) => {
      const { tickets, refused } = await give(bench, 25);
      expect(refused).toEqual([]);
      await arrival(worker, tickets);
    });

    test('mixes nothing up when many give at once', async (bench, worker) => {
      const given = await Promise.all(
        Array.from({ length: 20 }, (_, at) => give(bench, (at % 4) + 1)),
      );
      expect(given.flatMap(({ refused }) => refused)).toEqual([]);
      await arrival(
        worker,
        given.flatMap(({ tickets }) => tickets),
      );
    });

    test('is content with no messages at all', async (bench) => {
      expect((await give(bench, 0)).refused).toEqual([]);
    });

    test('goes on behind work that fails', async (bench, worker) => {
      worker.fates.push(() => Promise.reject(new Error('no database')));
      const first = await give(bench, 1);
      await arrival(worker, first.tickets);
      const second = await give(bench, 3);
      await arrival(worker, second.tickets);
    });

    test('holds nothing back for work that is slow', async (bench, worker) => {
      let end: () => void = () => undefined;
      worker.fates.push(() => new Promise((resolve) => (end = resolve)));
      const slow = await give(bench, 1);
      await arrival(worker, slow.tickets);
      const others = await give(bench, 3);
      await arrival(worker, others.tickets);
      end();
    });

    test('brings nothing new once it is paused', async (bench, worker) => {
      await bench.consumer.pause();
      await give(bench, 3);
      await bench.consumer.close();
      expect(worker.tickets).toEqual([]);
    });

    test('says that its queue can be reached', async ({ producer, consumer }) => {
      await producer.check();
      await consumer.check();
    });

    test('refuses everything once it has ended', async (bench) => {
      await bench.producer.pause();
      await bench.producer.close();
      const { tickets, refused } = await give(bench, 3);
      expect(refused).toEqual(tickets);
    });

    test('refuses what it cannot pass on, in time', async (bench) => {
      if (bench.cutOff === undefined) return;
      await bench.cutOff();
      const began = Date.now();
      const { tickets, refused } = await give(bench, 3);
      expect(refused).toEqual(tickets);
      expect(Date.now() - began < ARRIVAL_DEADLINE_MS).toBe(true);
      await expect(bench.producer.check()).rejects.toThrow();
    });
  });
}

async function end(relay: MessageRelay): Promise<void> {
  await relay.pause();
  await relay.close();
}
