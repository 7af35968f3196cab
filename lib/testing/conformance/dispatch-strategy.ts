import type { JoinedTransaction } from '../../database/sql-client.js';
import type { DispatchStrategy } from '../../dispatch/index.js';
import type { Message } from '../../message/index.js';
import type { TestRunner } from './test-runner.js';

/** The strategy of one test, with a subscriber. */
export interface DispatchStrategyFixture {
  readonly strategy: DispatchStrategy;
  /** Creates a message for one subscriber. */
  makeMessage(): Message;
  /** Ids of the messages that have arrived at the subscriber, in their order; null for a strategy that delivers nothing. */
  readonly arrived: (() => readonly string[]) | null;
  /**
   * Runs work in a transaction of its own and rolls back when the work throws; one after the other where the driver has
   * a single connection. Left out by strategies without a database.
   */
  transaction?<Result>(work: (transaction: JoinedTransaction) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** The implementation under test. */
export interface DispatchStrategyUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** Called once for each test. */
  makeFixture(): Promise<DispatchStrategyFixture>;
}

const ARRIVAL_DEADLINE_MS = 10_000;

/** Defines the tests that every {@link DispatchStrategy} must pass. */
export function dispatchStrategyConformance(
  { name, makeFixture }: DispatchStrategyUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test = (title: string, body: (fixture: DispatchStrategyFixture) => Promise<void>) =>
    it(title, async () => {
      const fixture = await makeFixture();
      await body(fixture).finally(() => fixture.close());
    });
  /** Resolves once these have arrived; messages that must not arrive would have done so before. */
  const arrival = async ({ arrived }: DispatchStrategyFixture, messages: readonly Message[]) => {
    if (arrived === null) return;
    const deadline = Date.now() + ARRIVAL_DEADLINE_MS;
    while (messages.some(({ id }) => !arrived().includes(id)) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(messages.filter(({ id }) => !arrived().includes(id)).map(({ id }) => id)).toEqual([]);
  };
  const arrivalsOf = ({ arrived }: DispatchStrategyFixture, { id }: Message) =>
    arrived === null ? 0 : arrived().filter((other) => other === id).length;
  const send = async ({ strategy }: DispatchStrategyFixture, messages: readonly Message[]) => {
    await strategy.stage(messages, undefined);
    return strategy.release(messages);
  };

  describe(`${name}: every strategy`, () => {
    test('returns one entry for each message, in their order', async (fixture) => {
      const messages = many(20, fixture);
      const released = await send(fixture, messages);

      expect(released.map(({ message }) => message)).toEqual(messages.map(({ id }) => id));
      const states = released.map(({ state }) => state);
      expect(
        states.filter((state) => !['delivered', 'accepted', 'discarded'].includes(state)),
      ).toEqual([]);
    });

    test('reports attempts of delivered messages alone', async (fixture) => {
      const [message] = many(1, fixture);
      const [released] = await send(fixture, [message!]);

      const attempts = released!.attempts.map((attempt) => attempt.messageId);
      expect(attempts).toEqual(released!.state === 'delivered' ? [message!.id] : []);
      if (released!.state === 'delivered') expect(arrivalsOf(fixture, message!)).toBe(1);
      if (released!.state === 'discarded') expect(fixture.arrived).toBeNull();
    });

    test('delivers each released message once', async (fixture) => {
      const messages = many(30, fixture);
      await send(fixture, messages);
      await arrival(fixture, messages);

      const expected = fixture.arrived === null ? 0 : 1;
      expect(messages.filter((message) => arrivalsOf(fixture, message) !== expected)).toEqual([]);
    });

    test('accepts an empty list of messages', async (fixture) => {
      expect(await send(fixture, [])).toEqual([]);
      await fixture.strategy.discard([]);
    });

    test('delivers no message that is only staged', async (fixture) => {
      const [staged, fence] = many(2, fixture);
      await fixture.strategy.stage([staged!], undefined);
      await send(fixture, [fence!]);
      await arrival(fixture, [fence!]);

      expect(arrivalsOf(fixture, staged!)).toBe(0);
    });

    test('delivers no discarded message', async (fixture) => {
      const [discarded, fence] = many(2, fixture);
      await fixture.strategy.stage([discarded!], undefined);
      await fixture.strategy.discard([discarded!]);
      await send(fixture, [fence!]);
      await arrival(fixture, [fence!]);

      expect(arrivalsOf(fixture, discarded!)).toBe(0);
    });

    test('keeps many concurrent stages and releases apart', async (fixture) => {
      const batches = Array.from({ length: 20 }, (_, index) => many((index % 4) + 1, fixture));
      const released = await Promise.all(batches.map((batch) => send(fixture, batch)));

      expect(released.map((entries) => entries.map(({ message }) => message))).toEqual(
        batches.map((batch) => batch.map(({ id }) => id)),
      );
      await arrival(fixture, batches.flat());
      const expected = fixture.arrived === null ? 0 : 1;
      const wrong = batches.flat().filter((message) => arrivalsOf(fixture, message) !== expected);
      expect(wrong).toEqual([]);
    });

    test('releases together messages that were staged apart', async (fixture) => {
      const messages = many(3, fixture);
      for (const message of messages) await fixture.strategy.stage([message], undefined);
      const released = await fixture.strategy.release(messages.toReversed());

      expect(released.map(({ message }) => message)).toEqual(
        messages.toReversed().map(({ id }) => id),
      );
      await arrival(fixture, messages);
    });

    test('delivers the messages of a committed transaction', async (fixture) => {
      if (fixture.transaction === undefined) return;
      const messages = many(5, fixture);
      await fixture.transaction(async (joined) => fixture.strategy.stage(messages, joined));
      await fixture.strategy.release(messages);
      await arrival(fixture, messages);
    });

    test('delivers no message of a rolled-back transaction', async (fixture) => {
      if (fixture.transaction === undefined) return;
      const [lost, fence] = many(2, fixture);
      const rollback = fixture.transaction(async (joined) => {
        await fixture.strategy.stage([lost!], joined);
        throw new Error('rolled back');
      });
      await expect(rollback).rejects.toMatchObject({ message: 'rolled back' });
      await send(fixture, [fence!]);
      await arrival(fixture, [fence!]);

      expect(arrivalsOf(fixture, lost!)).toBe(0);
    });

    test('keeps concurrent transactions apart', async (fixture) => {
      const transaction = fixture.transaction?.bind(fixture);
      if (transaction === undefined) return;
      const pairs = Array.from({ length: 6 }, () => many(1, fixture)[0]!);
      const settled = await Promise.allSettled(
        pairs.map((message, index) =>
          transaction(async (joined) => {
            await fixture.strategy.stage([message], joined);
            if (index % 2 === 1) throw new Error('rolled back');
          }).then(() => fixture.strategy.release([message])),
        ),
      );
      expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(
        pairs.map((_, index) => index % 2 === 0),
      );
      const committed = pairs.filter((_, index) => index % 2 === 0);
      await arrival(fixture, committed);

      const arrivals = pairs.map((message) => arrivalsOf(fixture, message));
      const once = fixture.arrived === null ? 0 : 1;
      expect(arrivals).toEqual(pairs.map((_, index) => (index % 2 === 0 ? once : 0)));
    });
  });
}

function many(count: number, { makeMessage }: DispatchStrategyFixture): Message[] {
  return Array.from({ length: count }, () => makeMessage());
}
