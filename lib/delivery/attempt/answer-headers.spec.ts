import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../../errors/index.js';
import { type AnswerHeaderOptions, AnswerHeaders } from './answer-headers.js';

describe('AnswerHeaders', () => {
  it('keeps the named headers of attempts that failed, and never cookies', () => {
    const headers = {
      ...{ 'retry-after': '5', server: 'nginx', 'set-cookie': ['session=1'], 'x-other': 'y' },
      'x-request-id': ['a', 'b'],
    };
    const kept = { 'retry-after': '5', server: 'nginx', 'x-request-id': 'a, b' };
    expect(new AnswerHeaders().kept({ headers }, false)).toEqual(kept);
    expect(new AnswerHeaders().kept({ headers }, true)).toBeNull();
    expect(new AnswerHeaders({ of: 'everything' }).kept({ headers }, true)).toEqual(kept);
    expect(new AnswerHeaders({ of: 'nothing' }).kept({ headers }, false)).toBeNull();
    const named = new AnswerHeaders({ names: ['X-Other', 'x-other', 'absent'] });
    expect(named.kept({ headers }, false)).toEqual({ 'x-other': 'y' });
    expect(new AnswerHeaders({ names: ['absent'] }).kept({ headers }, false)).toBeNull();
  });

  it.each(['a', 'é', '🎉'])('keeps 4 KiB at most, of %s', (character) => {
    const names = ['x-first', 'x-second', 'x-third'];
    const long = character.repeat(3000);
    const kept = new AnswerHeaders({ names }).kept(
      { headers: { 'x-first': 'small', 'x-second': long, 'x-third': long } },
      false,
    )!;
    const bytes = Object.entries(kept)
      .flat()
      .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    expect(bytes).toBeLessThanOrEqual(4096);
    expect(bytes).toBeGreaterThan(4080);
    expect(kept['x-first']).toBe('small');
    for (const name of names.slice(1)) {
      expect(long.startsWith(kept[name] ?? '')).toBe(true);
    }
  });

  it('keeps what every database can store', () => {
    const kept = new AnswerHeaders().kept({ headers: { server: 'a\0b\ud800c' } }, false);
    expect(kept).toEqual({ server: 'ab\ufffdc' });
  });

  it.each<object>([
    { names: 'server' },
    { names: ['a b'] },
    { names: [5] },
    { names: ['server', 'Set-Cookie'] },
    { of: 'all' },
    { only: [] },
    [],
  ])('rejects %j', (options) => {
    expect(() => new AnswerHeaders(options as AnswerHeaderOptions)).toThrow(
      ThornConfigurationError,
    );
    expect(() => new AnswerHeaders(options as AnswerHeaderOptions)).toThrow(/answerHeaders/);
  });
});
