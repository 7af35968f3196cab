import type { EntityManager } from 'typeorm';
import type { DispatchStrategy } from '../../dispatch/index.js';
import type { Message } from '../../message/index.js';
import type { TestRunner } from './test-runner.js';

/** A strategy with what surrounds it; used by one test alone. */
export interface DispatchStrategyBench {
  readonly strategy: DispatchStrategy;
  /** Makes a new message, one that goes to one subscriber. */
  makeMessage(): Message;
  /** Ids of the messages that have arrived at that subscriber, in the order of arrival; null when nothing ever will. */
  readonly arrived: (() => readonly string[]) | null;
  /**
   * Runs work in a transaction of its own and rolls it back when it throws; one after the other where the driver has one
   * connection alone. Left out by strategies that know no database.
   */
  transaction?<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** The implementation under test. */
export interface DispatchStrategyUnderTest {
  /** Heads the report. */
  readonly name: string;
  /** Called once a test. */
  makeBench(): Promise<DispatchStrategyBench>;
}

const ARRIVAL_DEADLINE_MS = 10_000;

/** What every {@link DispatchStrategy} must do. */
export function dispatchStrategyConformance(
  { name, makeBench }: DispatchStrategyUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (title: string, body: (bench: DispatchStrategyBench) => Promise<void>) =>
    it(title, async () => {
      const bench = await makeBench();
      try {
        await body(bench);
      } finally {
        await bench.close();
      }
    });
  /** Resolves once these have arrived; what was never to arrive would have done so before. */
  const arrival = async ({ arrived }: DispatchStrategyBench, messages: readonly Message[]) => {
    if (arrived === null) return;
    const deadline = Date.now() + ARRIVAL_DEADLINE_MS;
    while (messages.some(({ id }) => !arrived().includes(id)) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(messages.filter(({ id }) => !arrived().includes(id)).map(({ id }) => id)).toEqual([]);
  };
  const arrivalsOf = ({ arrived }: DispatchStrategyBench, { id }: Message) =>
    arrived === null ? 0 : arrived().filter((other) => other === id).length;
  const send = async ({ strategy }: DispatchStrategyBench, messages: readonly Message[]) => {
    await strategy.stage(messages, undefined);
    return strategy.release(messages);
  };

  describe(`${name}: every strategy`, () => {
    test('answers one entry a message, in the order given', async (bench) => {
      const messages = many(20, bench);
      const released = await send(bench, messages);

      expect(released.map(({ message }) => message)).toEqual(messages.map(({ id }) => id));
      const states = released.map(({ state }) => state);
      expect(
        states.filter((state) => !['delivered', 'accepted', 'discarded'].includes(state)),
      ).toEqual([]);
    });

    test('reports attempts for what it has delivered, and for nothing else', async (bench) => {
      const [message] = many(1, bench);
      const [released] = await send(bench, [message!]);

      const attempts = released!.attempts.map((attempt) => attempt.messageId);
      expect(attempts).toEqual(released!.state === 'delivered' ? [message!.id] : []);
      if (released!.state === 'delivered') expect(arrivalsOf(bench, message!)).toBe(1);
      if (released!.state === 'discarded') expect(bench.arrived).toBeNull();
    });

    test('delivers each released message once', async (bench) => {
      const messages = many(30, bench);
      await send(bench, messages);
      await arrival(bench, messages);

      const expected = bench.arrived === null ? 0 : 1;
      expect(messages.filter((message) => arrivalsOf(bench, message) !== expected)).toEqual([]);
    });

    test('is content with no messages at all', async (bench) => {
      expect(await send(bench, [])).toEqual([]);
      await bench.strategy.discard([]);
    });

    test('delivers nothing that is only staged', async (bench) => {
      const [staged, fence] = many(2, bench);
      await bench.strategy.stage([staged!], undefined);
      await send(bench, [fence!]);
      await arrival(bench, [fence!]);

      expect(arrivalsOf(bench, staged!)).toBe(0);
    });

    test('delivers nothing that was discarded', async (bench) => {
      const [discarded, fence] = many(2, bench);
      await bench.strategy.stage([discarded!], undefined);
      await bench.strategy.discard([discarded!]);
      await send(bench, [fence!]);
      await arrival(bench, [fence!]);

      expect(arrivalsOf(bench, discarded!)).toBe(0);
    });

    test('mixes nothing up when many stage and release at once', async (bench) => {
      const batches = Array.from({ length: 20 }, (_, index) => many((index % 4) + 1, bench));
      const released = await Promise.all(batches.map((batch) => send(bench, batch)));

      expect(released.map((entries) => entries.map(({ message }) => message))).toEqual(
        batches.map((batch) => batch.map(({ id }) => id)),
      );
      await arrival(bench, batches.flat());
      const expected = bench.arrived === null ? 0 : 1;
      const wrong = batches.flat().filter((message) => arrivalsOf(bench, message) !== expected);
      expect(wrong).toEqual([]);
    });

    test('releases together what was staged apart', async (bench) => {
      const messages = many(3, bench);
      for (const message of messages) await bench.strategy.stage([message], undefined);
      const released = await bench.strategy.release(messages.toReversed());

      expect(released.map(({ message }) => message)).toEqual(
        messages.toReversed().map(({ id }) => id),
      );
      await arrival(bench, messages);
    });

    test('delivers what a committed transaction has staged', async (bench) => {
      if (bench.transaction === undefined) return;
      const messages = many(5, bench);
      await bench.transaction((manager) => bench.strategy.stage(messages, manager));
      await bench.strategy.release(messages);
      await arrival(bench, messages);
    });

    test('delivers nothing that a rolled-back transaction has staged', async (bench) => {
      if (bench.transaction === undefined) return;
      const [lost, fence] = many(2, bench);
      const rollback = bench.transaction(async (manager) => {
        await bench.strategy.stage([lost!], manager);
        throw new Error('rolled back');
      });
      await expect(rollback).rejects.toMatchObject({ message: 'rolled back' });
      await send(bench, [fence!]);
      await arrival(bench, [fence!]);

      expect(arrivalsOf(bench, lost!)).toBe(0);
    });

    test('keeps transactions apart that are open at once', async (bench) => {
      const transaction = bench.transaction?.bind(bench);
      if (transaction === undefined) return;
      const pairs = Array.from({ length: 6 }, () => many(1, bench)[0]!);
      const settled = await Promise.allSettled(
        pairs.map((message, index) =>
          transaction(async (manager) => {
            await bench.strategy.stage([message], manager);
            if (index % 2 === 1) throw new Error('rolled back');
          }).then(() => bench.strategy.release([message])),
        ),
      );
      expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(
        pairs.map((_, index) => index % 2 === 0),
      );
      const committed = pairs.filter((_, index) => index % 2 === 0);
      await arrival(bench, committed);

      const arrivals = pairs.map((message) => arrivalsOf(bench, message));
      const once = bench.arrived === null ? 0 : 1;
      expect(arrivals).toEqual(pairs.map((_, index) => (index % 2 === 0 ? once : 0)));
    });
  });
}

function many(count: number, { makeMessage }: DispatchStrategyBench): Message[] {
  return Array.from({ length: count }, () => makeMessage());
}
