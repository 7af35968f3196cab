import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SqlStore } from '../../database/sql-store.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import type { OutcomeStatements } from './outcome-statements.js';
import type { Outcome } from '../outcome.js';
import type { Finished } from '../tables/leases.js';

const outcome = (id: string) => ({ id, messageId: 'msg_1' }) as Outcome;
const finished = (id: string) => ({ id, token: 'lease' }) as Finished;

describe('OutcomeRecorder', () => {
  /** What each transaction wrote. */
  let sets: string[][];
  let written: string[];
  let givenUp: unknown[];
  let execute: () => Promise<readonly []>;
  let recorder: OutcomeRecorder;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    [sets, written, givenUp] = [[], [], []];
    execute = async () => [];
    recorder = recorderWith(3);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  function recorderWith(most: number): OutcomeRecorder {
    const statements = {
      statements: (outcomes: readonly Outcome[], done: readonly Finished[]) => {
        sets.push([...outcomes, ...done].map(({ id }) => id));
        return [];
      },
    } as unknown as OutcomeStatements;
    const database = { execute: () => execute() } as unknown as SqlStore;
    return new OutcomeRecorder(database, statements, most, {
      written: (outcomes, done) => void written.push(...[...outcomes, ...done].map(({ id }) => id)),
      givenUp: (entry) => void givenUp.push(entry),
    });
  }

  it('writes what has gathered for 20 ms together, a message after its last delivery', async () => {
    recorder.add(outcome('a'));
    recorder.finish(finished('m'));
    await vi.advanceTimersByTimeAsync(19);
    expect(sets).toEqual([]);
    expect(recorder.size).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(sets).toEqual([['a', 'm']]);
    expect(written).toEqual(['a', 'm']);
    expect(recorder.size).toBe(0);
  });

  it('does not wait once there is enough', async () => {
    for (const id of ['a', 'b', 'c']) recorder.add(outcome(id));
    await vi.advanceTimersByTimeAsync(0);
    expect(sets).toEqual([['a', 'b', 'c']]);
  });

  it('has one set under way at a time, which the next ones wait for', async () => {
    let end = () => undefined as void;
    execute = () => new Promise((resolve) => (end = () => resolve([])));
    for (const id of ['a', 'b', 'c']) recorder.add(outcome(id));
    for (const id of ['d', 'e', 'f']) recorder.add(outcome(id));
    await vi.advanceTimersByTimeAsync(100);
    expect(sets).toEqual([['a', 'b', 'c']]);
    expect(recorder.size).toBe(6);
    end();
    await vi.advanceTimersByTimeAsync(40);
    expect(sets[1]).toEqual(['d', 'e', 'f']);
    expect(written).toEqual(['a', 'b', 'c']);
  });

  it('tries again what could not be written, fewer at once, and notifies once', async () => {
    let failures = 1;
    execute = async () => {
      if (failures-- > 0) throw new Error('no connection');
      return [];
    };
    for (const id of ['a', 'b', 'c']) recorder.add(outcome(id));
    await vi.advanceTimersByTimeAsync(5000);
    expect(sets).toEqual([['a', 'b', 'c'], ['a', 'b'], ['c']]);
    expect(written).toEqual(['a', 'b', 'c']);
  });

  it('gives up the one that can never be written, and writes all others', async () => {
    execute = async () => {
      if (sets.at(-1)!.includes('bad')) throw new Error('invalid byte sequence');
      return [];
    };
    for (const id of ['a', 'bad', 'b', 'c']) recorder.add(outcome(id));
    recorder.finish(finished('msg_1'));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(written.toSorted()).toEqual(['a', 'b', 'c', 'msg_1']);
    expect(givenUp).toEqual([{ outcome: outcome('bad') }]);
    expect(recorder.size).toBe(0);
  });

  it('writes everything at once when asked, and nothing once it is closed', async () => {
    recorder.add(outcome('a'));
    await recorder.flush();
    expect(written).toEqual(['a']);
    recorder.add(outcome('b'));
    recorder.close();
    await vi.advanceTimersByTimeAsync(1000);
    expect(written).toEqual(['a']);
  });
});
