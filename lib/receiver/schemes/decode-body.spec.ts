import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeForm } from '../../message/codecs.js';
import { decodeForm } from './decode-body.js';

it.each([
  ['a=1&b=', { a: '1', b: '' }],
  ['a=1&a=2&a=3', { a: ['1', '2', '3'] }],
  ['a[]=1&a[]=2', { a: ['1', '2'] }],
  ['a[]=1&b[c][]=2', { a: ['1'], b: { c: ['2'] } }],
  ['a=100%&b=%2', { a: '100%', b: '%2' }],
  ['a[0][b]=1&a[1][b]=2', { a: [{ b: '1' }, { b: '2' }] }],
  ['a[1]=1', { a: { 1: '1' } }],
  ['0=a&1=b', { 0: 'a', 1: 'b' }],
  ['constructor[name]=a', { constructor: { name: 'a' } }],
  ['a]b[=1', { 'a]b[': '1' }],
  ['a=%F0%9F%94%91+x', { a: '🔑 x' }],
  ['', {}],
])('reads %s', (text, expected) => {
  expect(decodeForm(text)).toEqual(expected);
});

it.each(['a=%FF', '%C3=1', 'a=%ed%a0%80'])('rejects %s, which is not UTF-8', (text) => {
  expect(() => decodeForm(text)).toThrow('the body is not valid UTF-8');
});

it('reads back any texts that the form codec writes', () => {
  const names = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_ &=%.-]{0,8}$/);
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
      fc.dictionary(names, tie('tree'), { minKeys: 1, maxKeys: 4 }),
    ),
  }));

  fc.assert(
    fc.property(fc.dictionary(names, tree, { minKeys: 1, maxKeys: 4 }), (value) => {
      expect(decodeForm(encodeForm(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { seed: 1, numRuns: 500 },
  );
});
