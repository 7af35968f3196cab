import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../errors/index.js';
import { checkHeaders } from './header-checks.js';

describe('checkHeaders', () => {
  it.each([
    [{}],
    [{ 'X-Tenant': 'acme' }],
    [{ authorization: 'Bearer abc.def' }],
    [{ 'x-empty': '' }],
    [{ "!#$%&'*+-.^_`|~09": 'every token character' }],
    [{ 'x-value': '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~' }],
    [{ 'x-long': 'a'.repeat(1018) }],
    [{ hostname: 'not host', 'x-hook-event': 'not hook-', cookies: 'not cookie', tea: 'not te' }],
    [Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`x-${at}`, 'v']))],
  ])('accepts %j', (headers) => {
    expect(() => checkHeaders(headers)).not.toThrow();
  });

  it.each([
    'host',
    'Host',
    'content-type',
    'Content-Length',
    'content-encoding',
    'CONTENT-ANYTHING',
    'transfer-encoding',
    'connection',
    'keep-alive',
    'te',
    'TE',
    'trailer',
    'upgrade',
    'expect',
    'proxy-authorization',
    'Proxy-Connection',
    'cookie',
    'User-Agent',
    'webhook-id',
    'Webhook-Signature',
    'webhook-anything',
    'hook-hmac',
    'Hook-Event',
  ])('refuses %s, which the caller cannot set', (name) => {
    expect(() => checkHeaders({ [name]: 'value' })).toThrow(InvalidInputError);
    expect(() => checkHeaders({ [name]: 'value' })).toThrow(JSON.stringify(name));
  });

  it.each([
    ['no object', 'x-a: b'],
    ['null', null],
    ['an array', [['x-a', 'b']]],
    ['a map', new Map([['x-a', 'b']])],
    ['the headers of fetch', new Headers({ 'x-a': 'b' })],
    ['an instance of a class', new (class Tenant {})()],
    ['a prototype', JSON.parse('{"__proto__":"v"}')],
    ['an empty name', { '': 'v' }],
    ['a name with a blank', { 'x a': 'v' }],
    ['a name with a colon', { 'x:': 'v' }],
    ['a name with a line break', { 'x-a\r\nhost': 'v' }],
    ['a name beyond ASCII', { 'x-ü': 'v' }],
    ['a number', { 'x-a': 1 }],
    ['a list of values', { 'x-a': ['b'] }],
    ['undefined', { 'x-a': undefined }],
    ['a line break', { 'x-a': 'b\r\nhost: c' }],
    ['a lone line feed', { 'x-a': 'b\nc' }],
    ['a tab', { 'x-a': 'b\tc' }],
    ['a null character', { 'x-a': 'b\0' }],
    ['a value beyond ASCII', { 'x-a': 'ü' }],
    ['a blank in front', { 'x-a': ' b' }],
    ['a blank behind', { 'x-a': 'b ' }],
    ['a blank alone', { 'x-a': ' ' }],
    ['more than 1 KiB', { 'x-long': 'a'.repeat(1019) }],
    ['eleven', Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`x-${at}`, 'v']))],
    ['one name twice', { 'x-a': '1', 'X-A': '2' }],
  ])('refuses %s', (_, headers) => {
    expect(() => checkHeaders(headers)).toThrow(InvalidInputError);
    expect(() => checkHeaders(headers)).toThrow(/^headers /);
  });

  it('keeps the value out of the error', () => {
    expect(() => checkHeaders({ 'x-token': 's3cret\n' })).toThrow(/^(?!.*s3cret)/);
  });

  it('accepts nothing that could break a request apart', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
        (headers) => {
          try {
            checkHeaders(headers);
          } catch {
            return;
          }
          for (const [name, value] of Object.entries(headers)) {
            expect(`${name}: ${value}`).toMatch(/^[\x20-\x7e]+$/);
          }
        },
      ),
    );
  });
});
