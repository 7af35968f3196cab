import type { Message } from '../../lib/message/index.js';
import { type MessageRelay, RelayWorker, type Ticket } from '../../lib/outbox/index.js';
import type { TestRunner } from '../../lib/testing/index.js';

/** The relays of one test: two processes over a queue of their own. */
export interface MessageRelayFixture {
  /** Relay of the process that gives messages. */
  readonly producer: MessageRelay;
  /** Relay of the process with the worker. May be the same as `producer`. */
  readonly consumer: MessageRelay;
  /** Creates a message. */
  makeMessage(): Message;
  /** Called once both are started, to begin what else the queue needs. */
  listen?(): Promise<void>;
  /** Makes the queue unreachable. Left out: the suite does not test that. */
  cutOff?(): Promise<void>;
  /** Called when both relays have ended. */
  close(): Promise<void>;
}

/** The implementation under test. */
export interface MessageRelayUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** Called once for each test. */
  makeFixture(): Promise<MessageRelayFixture>;
}

const ARRIVAL_DEADLINE_MS = 10_000;

/** Records the tickets of its calls. */
class NotingWorker extends RelayWorker {
  readonly tickets: Ticket[] = [];
  /** Results of the next calls, in their order; further calls resolve. */
  readonly fates: (() => Promise<void>)[] = [];

  override async work(tickets: readonly Ticket[]): Promise<void> {
    this.tickets.push(...tickets);
    await this.fates.shift()?.();
  }
}

/** Defines the tests that every {@link MessageRelay} must pass; a relay may lose messages now and then. */
export function messageRelayConformance(
  { name, makeFixture }: MessageRelayUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (
    title: string,
    body: (fixture: MessageRelayFixture, worker: NotingWorker) => Promise<void>,
  ) =>
    it(title, async () => {
      const fixture = await makeFixture();
      const { producer, consumer } = fixture;
      const worker = new NotingWorker();
      try {
        if (producer !== consumer) await producer.start(null);
        await consumer.start(worker);
        await fixture.listen?.();
        await body(fixture, worker);
      } finally {
        await Promise.all([...new Set([consumer, producer])].map(end));
        await fixture.close();
      }
    });
  /** Gives messages that were released together. @returns their tickets, and those that were refused */
  const give = async ({ producer, makeMessage }: MessageRelayFixture, count: number) => {
    const messages = Array.from({ length: count }, () => makeMessage());
    const tickets = messages.map(({ id }, at): Ticket => ({ id, lease: `lease-${at}` }));
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
    for (const { id, lease } of tickets) {
      expect(worker.tickets.find((one) => one.id === id)).toMatchObject({ lease });
    }
  };

  describe(`${name}: every relay`, () => {
    test('carries messages unchanged', async (fixture, worker) => {
      const { tickets, refused } = await give(fixture, 25);
      expect(refused).toEqual([]);
      await arrival(worker, tickets);
    });

    test('keeps many concurrent messages apart', async (fixture, worker) => {
      const given = await Promise.all(
        Array.from({ length: 20 }, (_, at) => give(fixture, (at % 4) + 1)),
      );
      expect(given.flatMap(({ refused }) => refused)).toEqual([]);
      await arrival(
        worker,
        given.flatMap(({ tickets }) => tickets),
      );
    });

    test('accepts an empty list of messages', async (fixture) => {
      expect((await give(fixture, 0)).refused).toEqual([]);
    });

    test('goes on after work that fails', async (fixture, worker) => {
      worker.fates.push(() => Promise.reject(new Error('no database')));
      const first = await give(fixture, 1);
      await arrival(worker, first.tickets);
      const second = await give(fixture, 3);
      await arrival(worker, second.tickets);
    });

    test('holds no message back for slow work', async (fixture, worker) => {
      let end: () => void = () => undefined;
      worker.fates.push(() => new Promise((resolve) => (end = resolve)));
      const slow = await give(fixture, 1);
      await arrival(worker, slow.tickets);
      const others = await give(fixture, 3);
      await arrival(worker, others.tickets);
      end();
    });

    test('brings no new message once it is paused', async (fixture, worker) => {
      await fixture.consumer.pause();
      await give(fixture, 3);
      await fixture.consumer.close();
      expect(worker.tickets).toEqual([]);
    });

    test('reports that its queue can be reached', async (fixture, worker) => {
      const { tickets } = await give(fixture, 1);
      // Both have a connection then.
      await arrival(worker, tickets);
      await fixture.producer.check();
      await fixture.consumer.check();
    });

    test('refuses every message once it has ended', async (fixture) => {
      await fixture.producer.pause();
      await fixture.producer.close();
      const { tickets, refused } = await give(fixture, 3);
      expect(refused).toEqual(tickets);
    });

    test('refuses messages that it cannot pass on, in time', async (fixture) => {
      if (fixture.cutOff === undefined) return;
      await fixture.cutOff();
      const began = Date.now();
      const { tickets, refused } = await give(fixture, 3);
      expect(refused).toEqual(tickets);
      expect(Date.now() - began < ARRIVAL_DEADLINE_MS).toBe(true);
      await expect(fixture.producer.check()).rejects.toThrow();
    });
  });
}

async function end(relay: MessageRelay): Promise<void> {
  await relay.pause();
  await relay.close();
}
