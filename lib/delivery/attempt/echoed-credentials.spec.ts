import { stringify } from 'node:querystring';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Recipient } from '../../message/recipient.js';
import { withoutCredentials } from './echoed-credentials.js';

const recipient = (fields: Partial<Recipient>): Recipient => ({
  ...{ id: 'sub_1', url: 'https://example.com/', contentType: 'application/json' },
  ...{ digest: 'sha256', secrets: [], ...fields },
});
const shown = (
  text: string,
  fields: Partial<Recipient>,
  { tokens = [], isCut = false }: { tokens?: string[]; isCut?: boolean } = {},
): string => {
  const bytes = Buffer.from(text).toString('latin1');
  const left = withoutCredentials(bytes, { recipient: recipient(fields), tokens }, isCut);
  return Buffer.from(left, 'latin1').toString();
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const basic = (username: string, password: string) =>
  ({ auth: { type: 'basic', username, password } }) as const;

describe('the answer of an endpoint that repeats what it was sent', () => {
  const pair = base64('ada:p/ss "wörd"');
  const PHP = 'p\\/ss \\"w\\u00f6rd\\"';

  it.each<[string, Partial<Recipient>, string, string]>([
    ...(
      [
        ['a bearer token', { auth: { type: 'bearer', token: 'a-token+/=' } }],
        ['a header', { headers: { 'X-Api-Key': 'a-token+/=' } }],
        ['a header Authorization', { headers: { authorization: 'Token a-token+/=' } }],
        ['a secret', { secrets: [{ value: 'a-token+/=', expiresAt: null }] }],
        ['a secret with its prefix', { secrets: [{ value: 'whsec_a-token+/=', expiresAt: null }] }],
      ] as [string, Partial<Recipient>][]
    ).flatMap<[string, Partial<Recipient>, string, string]>(([what, fields]) => [
      [what, fields, 'got Bearer a-token+/=, thanks', 'got Bearer ***, thanks'],
      [`${what} by PHP`, fields, '{"a":"a-token+\\/="}', '{"a":"***"}'],
      [`${what} by .NET`, fields, '{"a":"a-token\\u002B/="}', '{"a":"***"}'],
      [`${what} by Gson`, fields, '{"a":"a-token+/\\u003d"}', '{"a":"***"}'],
      [`${what} in a query`, fields, '?a=a-token%2B%2F%3D&b', '?a=***&b'],
      [`${what} in a query by .NET`, fields, '?a=a-token%2b%2f%3d&b', '?a=***&b'],
      [`${what} by Handlebars`, fields, '<b>a-token+/&#x3D;</b>', '<b>***</b>'],
      [`${what} by Go`, fields, '<b>a-token&#43;/=</b>', '<b>***</b>'],
      [`${what} with slashes of PHP`, fields, 'a-token+\\/=', '***'],
    ]),
    ['basic', basic('ada', 'p/ss "wörd"'), `Basic ${pair}`, 'Basic ***'],
    ['a name and password', basic('ada', 'p/ss "wörd"'), 'ada:p/ss "wörd"', '***'],
    ['a password by PHP', basic('ada', 'p/ss "wörd"'), `{"p":"${PHP}"}`, '{"p":"***"}'],
    ['a password in HTML', basic('ada', '<a "b" c&d>'), '&lt;a &quot;b&quot; c&amp;d&gt;', '***'],
    ['a password in text of HTML', basic('ada', '<a "b" c&d>'), '&lt;a "b" c&amp;d&gt;', '***'],
    [
      'a password in HTML of Go',
      basic('ada', `<a "b" c&d>`),
      '&lt;a &#34;b&#34; c&amp;d&gt;',
      '***',
    ],
    [
      'a password in JSON within JSON',
      basic('ada', 'ab"cd\\ef'),
      String.raw`{"a":"{\"p\":\"ab\\\"cd\\\\ef\"}"}`,
      String.raw`{"a":"{\"p\":\"***\"}"}`,
    ],
    ['a short password', basic('ada', 'x'), 'ada x exact', '*** *** exact'],
    ['a short header', { headers: { 'X-Env': 'on' } }, '"x-env":"on","one"', '"x-env":"***","one"'],
    [
      'basic in a header',
      { headers: { Authorization: `Basic ${pair}` } },
      'ada:p/ss "wörd"',
      '***',
    ],
    ['half a value', { headers: { 'X-Api-Key': 'abcdefghij' } }, 'abcde', 'abcde'],
    ['nothing', {}, 'abcde', 'abcde'],
  ])('does not show %s', (_, fields, text, expected) => {
    expect(shown(text, fields)).toBe(expected);
  });

  it('does not show an access token', () => {
    const auth = { type: 'oauth2', tokenUrl: 'x', clientId: 'me', clientSecret: 'of-me' } as const;
    const text = 'Bearer first-token second-token of-me';
    const tokens = ['first-token', 'second-token'];
    expect(shown(text, { auth }, { tokens })).toBe('Bearer *** *** ***');
    expect(shown(text, { auth })).toBe('Bearer first-token second-token ***');
  });

  it('does not show the beginning of a credential where the answer is cut', () => {
    const token = 'a-long-token+of/mine';
    const fields = { auth: { type: 'bearer', token } } as const;
    for (let length = 1; length <= token.length; length++) {
      const text = `{"authorization":"Bearer ${token.slice(0, length)}`;
      expect(shown(text, fields, { isCut: true })).toBe('{"authorization":"Bearer ***');
    }
    const encoded = base64('ada:of mine');
    const cut = `Basic ${encoded.slice(0, -3)}`;
    expect(shown(cut, basic('ada', 'of mine'), { isCut: true })).toBe('Basic ***');
  });

  it('shows no value of any characters, in whatever way it is written', () => {
    fc.assert(
      fc.property(
        fc
          .string({ unit: 'binary', minLength: 8, maxLength: 40 })
          .filter((text) => !/[:*]/.test(text)),
        (password) => {
          const fields = basic('ada', password);
          for (const text of [
            password,
            JSON.stringify({ password }),
            stringify({ password }),
            JSON.stringify({ headers: { authorization: `Basic ${base64(`ada:${password}`)}` } }),
          ]) {
            const left = shown(text, fields);
            expect(left).toContain('***');
            expect(left).not.toContain(password);
            expect(left).not.toContain(base64(`ada:${password}`));
          }
        },
      ),
      { seed: 63, numRuns: 300 },
    );
  });
});
