import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../common/index.js';
import { Codecs, type Message, MessageFactory, MessageTracing } from '../message/index.js';
import { DispatchStrategy, type Release } from './strategies/dispatch-strategy.js';
import { MessagePipeline } from './message-pipeline.js';

const clock = new SystemClock();
const factory = new MessageFactory(clock, new Codecs());
const messageOf = (event: string) => factory.create({ event });

/** Releases when it is told to, or fails. */
class SlowStrategy extends DispatchStrategy {
  readonly staged: string[] = [];
  readonly released: string[] = [];
  answer: () => void = () => undefined;
  readonly #answered = new Promise<void>((resolve) => (this.answer = resolve));

  constructor(readonly failure?: Error) {
    super();
  }

  override async stage(messages: readonly Message[]): Promise<void> {
    this.staged.push(...messages.map(({ event }) => event));
  }

  override async release(messages: readonly Message[]): Promise<readonly Release[]> {
    if (this.failure !== undefined) throw this.failure;
    await this.#answered;
    this.released.push(...messages.map(({ event }) => event));
    return messages.map(({ id }) => ({ message: id, state: 'delivered', attempts: [] }));
  }
}

describe('MessagePipeline', () => {
  let logged: unknown[][] = [];

  const keepLog = () => {
    logged = [];
    const silent = () => undefined;
    Logger.overrideLogger({
      log: silent,
      warn: silent,
      error: (...line: unknown[]) => void logged.push(line.filter((part) => part !== undefined)),
    });
  };

  afterEach(() => Logger.overrideLogger(new Logger()));

  it('gives a tracing a promise, whether the strategy makes one or not', async () => {
    const strategy = new SlowStrategy();
    const stage: DispatchStrategy['stage'] = () => undefined;
    Object.assign(strategy, { stage });
    let isEnded = false;
    class Traced extends MessageTracing {
      override made(): null {
        return null;
      }

      override stage(_: readonly Message[], work: () => Promise<void>): Promise<void> {
        return work().finally(() => (isEnded = true));
      }

      override attempt<Result>(_: unknown, work: (headers: undefined) => Promise<Result>) {
        return work(undefined);
      }
    }
    const pipeline = new MessagePipeline(strategy, clock, new Traced());
    await pipeline.stage([messageOf('traced')]);
    expect(isEnded).toBe(true);
  });

  it('waits for the strategy, and without waiting answers before it has', async () => {
    const strategy = new SlowStrategy();
    const pipeline = new MessagePipeline(strategy, clock);
    const [eager, patient] = [messageOf('eager'), messageOf('patient')];

    await expect(pipeline.send([eager], false)).resolves.toEqual([
      { message: eager.id, state: 'accepted', attempts: [] },
    ]);
    const waiting = pipeline.send([patient]);
    const first = await Promise.race([waiting, Promise.resolve('still waiting')]);

    expect(first).toBe('still waiting');
    expect(strategy.staged).toEqual(['eager', 'patient']);
    expect(strategy.released).toEqual([]);
    strategy.answer();
    await expect(waiting).resolves.toMatchObject([{ message: patient.id, state: 'delivered' }]);
    await pipeline.idle();
    expect(strategy.released).toEqual(['eager', 'patient']);
  });

  it('says in one line which messages could not be released, and why', async () => {
    keepLog();
    const failure = new Error('database\nis gone: https://db.example.com/?password=s3cret');
    const pipeline = new MessagePipeline(new SlowStrategy(failure), clock);
    const [one, other] = [messageOf('order.paid'), messageOf('order.sent')];

    pipeline.release([one, other]);
    await pipeline.idle();

    expect(logged).toEqual([
      [
        {
          message: expect.any(String),
          messageIds: [one.id, other.id],
        },
        expect.stringMatching(/^\s+at /),
        'Thorn',
      ],
    ]);
    expect(logged.map(([line]) => String(line))).toEqual([
      `Releasing order.paid (${one.id}), order.sent (${other.id}) failed: ` +
        'database is gone: https://db.example.com/',
    ]);
  });

  it('names some of many', async () => {
    keepLog();
    const pipeline = new MessagePipeline(new SlowStrategy(new Error('no')), clock);

    pipeline.release(Array.from({ length: 500 }, (_, index) => messageOf(`e.${index}`)));
    await pipeline.idle();

    expect(String(logged[0]![0])).toMatch(
      /^Releasing e\.0 \(msg_[\w-]+\), .* and 490 more failed: no$/,
    );
  });
});
