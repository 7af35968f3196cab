import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../errors/index.js';
import { Codecs } from './codecs.js';
import { boundedTracestate, MAX_TRACESTATE, MessageFactory } from './message.factory.js';

const member = (name: string, length: number) => `${name}=${'x'.repeat(length - name.length - 1)}`;

describe('a standard body', () => {
  let now = 0;
  const factory = new MessageFactory({ now: () => now }, new Codecs());

  it('equals JSON.stringify of the envelope', () => {
    const drafts = fc.record({
      event: fc.constantFrom('a.b', 'a.c'),
      time: fc.integer({ min: 0, max: 2 }),
      data: fc.jsonValue(),
      ref: fc.option(fc.string(), { nil: undefined }),
      owner: fc.option(fc.string(), { nil: null }),
      audience: fc.constantFrom('everyone', 'owner'),
    });
    fc.assert(
      fc.property(drafts, ({ time, ...draft }) => {
        now = time;
        const { event, data, ref, owner, audience } = draft;
        expect(factory.create(draft).text).toBe(
          JSON.stringify({
            type: event,
            timestamp: new Date(time).toISOString(),
            ref,
            owner: audience === 'owner' ? owner : undefined,
            data: data ?? {},
          }),
        );
      }),
      { seed: 5 },
    );
  });

  it('leaves out data whose toJSON answers nothing, and names what cannot be encoded', () => {
    const textOf = (data: unknown) => factory.create({ event: 'a.b', data }).text;
    const given: string[] = [];

    expect(Object.keys(JSON.parse(textOf({ toJSON: () => undefined })) as object)).toEqual([
      'type',
      'timestamp',
    ]);
    textOf({ toJSON: (key: string) => given.push(key) });
    expect(given).toEqual(['data']);
    expect(() => textOf(() => 1)).toThrow(InvalidInputError);
    expect(() => textOf({ list: [Number.NaN] })).toThrow('data holds NaN at data.list[0]');
  });
});

it('refuses a reference that is not a URL, without showing it', () => {
  const options = { baseUrl: 'https://a.example/' };
  const factory = new MessageFactory({ now: () => 0 }, new Codecs(), options);
  const create = () => factory.create({ event: 'a.b', ref: 'http://[?token=s3cret' });

  expect(create).toThrow(InvalidInputError);
  expect(create).toThrow(/^(?!.*s3cret)ref must be a URL/);
});

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
