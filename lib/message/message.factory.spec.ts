import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedTracestate, MAX_TRACESTATE } from './message.factory.js';

const member = (name: string, length: number) => `${name}=${'x'.repeat(length - name.length - 1)}`;

describe('a tracestate', () => {
  it('keeps a short one as it is, and drops one that is not a header', () => {
    expect(boundedTracestate('a=1,b=2')).toBe('a=1,b=2');
    expect(boundedTracestate(member('a', 512))).toBe(member('a', 512));
    for (const none of [null, '', 'a=\n', 'a=ü', 'a=\0'])
      expect(boundedTracestate(none)).toBeNull();
  });

  it('drops long members first, from the end, and then the last members', () => {
    const [long, longer] = [member('long', 129), member('longer', 300)];
    const short = Array.from({ length: 5 }, (_, at) => member(`s${at}`, 60));
    expect(boundedTracestate([long, ...short, longer].join())).toBe([long, ...short].join());
    const many = Array.from({ length: 32 }, (_, at) => member(`m${at}`, 100));
    expect(boundedTracestate(many.join())).toBe(many.slice(0, 5).join());
    expect(boundedTracestate(member('a', 513))).toBeNull();
  });

  it('never exceeds the limit and never adds a member', () => {
    const anything = fc.array(fc.tuple(fc.nat(400), fc.nat(40)), { maxLength: 40 });
    fc.assert(
      fc.property(anything, (sizes) => {
        const members = sizes.map(([length], at) => member(`k${at}`, length + 5));
        const bounded = boundedTracestate(members.join()) ?? '';
        expect(bounded.length).toBeLessThanOrEqual(MAX_TRACESTATE);
        const kept = bounded === '' ? [] : bounded.split(',');
        expect(members.filter((one) => kept.includes(one))).toEqual(kept);
      }),
      { seed: 3 },
    );
  });
});
