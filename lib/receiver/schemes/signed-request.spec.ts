import { expect, it } from 'vitest';
import { InvalidInputError } from '../../errors/index.js';
import { signedRequest } from './signed-request.js';

it('finds only headers that were sent, whatever their names', () => {
  const { headers } = signedRequest({}, '');

  for (const name of ['constructor', 'toString', '__proto__']) {
    expect(headers[name]).toBeUndefined();
  }
});

it('joins repeated headers of any case, as Node does', () => {
  const sent: [string, string][] = [
    ['X-Id', 'a'],
    ['x-id', 'b'],
  ];

  expect(signedRequest(sent, '').headers['x-id']).toBe('a, b');
  expect(signedRequest({ 'X-Id': ['a', 'b'], 'x-none': undefined }, '').headers).toEqual({
    'x-id': 'a, b',
  });
});

it.each([
  ['a number', 1700000000, 'X-Time is a number'],
  ['null', null, 'X-Time is null'],
])('refuses %s of a queue, naming the header', (_, value, text) => {
  const headers = { 'X-Time': value } as never;

  expect(() => signedRequest(headers, '')).toThrow(InvalidInputError);
  expect(() => signedRequest(headers, '')).toThrow(text);
});
