import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { Clock } from '../common/time.js';
import { Codecs } from '../message/codecs.js';
import { MessageFactory } from '../message/message.factory.js';
import type { Message } from '../message/message.js';
import { DispatchStrategy, type Release } from './strategies/dispatch-strategy.js';
import { MessagePipeline } from './message-pipeline.js';

class MovableClock extends Clock {
  time = Date.UTC(2026, 0, 1);
  override now(): number {
    return this.time;
  }
}

/** Keeps the batches it was given. */
class Recording extends DispatchStrategy {
  readonly batches: string[][] = [];
  readonly discarded: string[] = [];
  failure: Error | undefined;

  override async stage(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
  }

  override async release(messages: readonly Message[]): Promise<readonly Release[]> {
    await delay(1);
    this.batches.push(messages.map(({ event }) => event));
    return messages.map(({ id }) => ({ message: id, state: 'accepted', attempts: [] }));
  }

  override async discard(messages: readonly Message[]): Promise<void> {
    this.discarded.push(...messages.map(({ event }) => event));
  }
}

function setUp() {
  const clock = new MovableClock();
  const strategy = new Recording();
  const pipeline = new MessagePipeline(strategy, clock);
  const factory = new MessageFactory(clock, new Codecs());
  return {
    clock,
    strategy,
    pipeline,
    send: (event: string) => pipeline.send([factory.create({ event })]),
    commit: (event: string) => pipeline.release([factory.create({ event })]),
  };
}

describe('a buffer scope', () => {
  it('sends what it collected as one batch at its end, and answers what its work answered', async () => {
    const { pipeline, send, commit, strategy } = setUp();

    const result = await pipeline.buffer(async (buffer) => {
      const [answer] = await send('a.one');
      commit('a.two');
      expect(answer!.state).toBe('buffered');
      expect(buffer.size).toBe(2);
      expect(strategy.batches).toEqual([]);
      return 42;
    }, {});

    expect(result).toBe(42);
    expect(strategy.batches.map((batch) => batch.sort())).toEqual([['a.one', 'a.two']]);
  });

  it('flushes nested scopes with the outermost, and empties all of them on an explicit flush', async () => {
    const { pipeline, send, strategy } = setUp();

    await pipeline.buffer(async (outer) => {
      await send('outer.first');
      await pipeline.buffer(async (inner) => {
        await send('inner.first');
        void inner.flush();
        await send('inner.second');
      }, {});
      expect(outer.size).toBe(1);
    }, {});

    expect(strategy.batches).toEqual([['outer.first', 'inner.first'], ['inner.second']]);
  });

  it('does not mix with a scope that runs at the same time', async () => {
    const { pipeline, send, strategy } = setUp();
    const work = (name: string) =>
      pipeline.buffer(async () => {
        await send(`${name}.one`);
        await delay(2);
        await send(`${name}.two`);
      }, {});

    await Promise.all([work('a'), work('b')]);

    expect(strategy.batches.sort()).toEqual([
      ['a.one', 'a.two'],
      ['b.one', 'b.two'],
    ]);
  });

  it('drops what was not flushed when its work throws, staged messages included', async () => {
    const { pipeline, send, commit, strategy } = setUp();

    const failed = pipeline.buffer(async (buffer) => {
      await send('a.flushed');
      await buffer.flush();
      await send('a.lost');
      commit('a.committed');
      throw new Error('no');
    }, {});

    await expect(failed).rejects.toThrow('no');
    expect(strategy.batches).toEqual([['a.flushed']]);
    expect(strategy.discarded).toEqual(['a.committed']);
  });

  it('drops only the part of a nested scope that threw', async () => {
    const { pipeline, send, strategy } = setUp();

    await pipeline.buffer(async () => {
      await send('outer.kept');
      await pipeline
        .buffer(async () => {
          await send('inner.lost');
          throw new Error('no');
        }, {})
        .catch(() => undefined);
    }, {});

    expect(strategy.batches).toEqual([['outer.kept']]);
  });

  it('flushes by number and by time, when it is asked', async () => {
    const { pipeline, send, strategy, clock } = setUp();

    await pipeline.buffer(
      async (buffer) => {
        await send('a.one');
        expect(await buffer.maybeFlush()).toBe(false);
        await send('a.two');
        expect(await buffer.maybeFlush()).toBe(true);
        await send('a.three');
        clock.time += 999;
        expect(await buffer.maybeFlush()).toBe(false);
        clock.time += 1;
        expect(await buffer.maybeFlush()).toBe(true);
      },
      { flushEvery: 2, flushAfter: 1000 },
    );

    expect(strategy.batches).toEqual([['a.one', 'a.two'], ['a.three']]);
  });

  it('fails when a flush that nobody awaited has failed', async () => {
    const { pipeline, send, strategy } = setUp();
    strategy.failure = new Error('no room');

    const scope = pipeline.buffer(async (buffer) => {
      await send('a.one');
      void buffer.flush();
    }, {});

    await expect(scope).rejects.toThrow('no room');
  });

  it('lets work that outlives it send directly', async () => {
    const { pipeline, send, strategy } = setUp();
    let late: Promise<unknown> = Promise.resolve();

    await pipeline.buffer(async () => {
      late = delay(5).then(() => send('a.late'));
    }, {});
    await late;

    expect(strategy.batches).toEqual([['a.late']]);
  });

  it.each<[options: object, reason: RegExp]>([
    [{ flushEvery: 0 }, /`flushEvery` of buffer\(\) must be an integer of at least 1 \(messages\)/],
    [{ flushEvery: 1.5 }, /`flushEvery` of buffer\(\) must be an integer/],
    [{ flushAfter: -1 }, /`flushAfter` of buffer\(\) must be an integer of at least 1/],
    [{ flushEvry: 2 }, /Unknown option `flushEvry` in buffer\(\). Valid options: flushEvery/],
  ])('refuses %o, and does not begin the work', async (options, reason) => {
    const { pipeline } = setUp();
    const work = vi.fn<() => void>();

    await expect(pipeline.buffer(work, options)).rejects.toThrow(reason);

    expect(work).not.toHaveBeenCalled();
  });
});
