import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransactionFrames } from './transaction-frames.js';

/** A transaction or savepoint: what happens in it, and how it ends. */
interface Scope {
  readonly steps: readonly (number | Scope)[];
  readonly commits: boolean;
}

const scope = fc.letrec<{ scope: Scope; step: number | Scope }>((tie) => ({
  step: fc.oneof({ depthSize: 'small' }, fc.integer(), tie('scope')),
  scope: fc.record({
    steps: fc.array(tie('step'), { maxLength: 6 }),
    commits: fc.boolean(),
  }),
})).scope;

/** The values that a database would keep. */
function surviving({ steps, commits }: Scope): number[] {
  if (!commits) return [];
  return steps.flatMap((step) => (typeof step === 'number' ? [step] : surviving(step)));
}

function play(
  frames: TransactionFrames<number>,
  { steps, commits }: Scope,
  received: number[],
): void {
  frames.begin();
  for (const step of steps) {
    if (typeof step === 'number') frames.add(step);
    else play(frames, step, received);
  }
  if (frames.depth > 1) {
    if (commits) frames.merge();
    else frames.drop();
  } else if (commits) received.push(...frames.close());
  else frames.close();
}

describe('Frames', () => {
  it('gives out exactly what committed, in order, whatever is nested in what', () => {
    fc.assert(
      fc.property(fc.array(scope, { maxLength: 4 }), (transactions) => {
        const frames = new TransactionFrames<number>();
        const received: number[] = [];
        for (const transaction of transactions) play(frames, transaction, received);

        expect(received).toEqual(transactions.flatMap(surviving));
        expect(frames.depth).toBe(0);
      }),
      { seed: 20_261_124, numRuns: 2_000 },
    );
  });

  it('drains every open frame and leaves them open', () => {
    const frames = new TransactionFrames<string>();
    frames.begin();
    frames.add('outer');
    frames.begin();
    frames.add('inner');

    expect(frames.drain()).toEqual(['outer', 'inner']);
    expect(frames.drain()).toEqual([]);
    expect(frames.depth).toBe(2);
  });

  it('has no place for what happens outside of a transaction', () => {
    expect(() => new TransactionFrames<string>().add('lost')).toThrow(/No transaction is open/);
  });
});
