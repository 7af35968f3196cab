import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REFUSAL_CODES } from '../../lib/errors/index.js';
import type { UncheckedPaths } from '../../lib/index.js';
import { type Refusal, refusalIn } from '../../page/core/refusals.js';
import { de } from '../../page/text/de.js';
import { en } from '../../page/text/en.js';
import { TOKENS } from '../../sample/blog/users/demo-users.js';
import { startSeededBlog } from '../support/apps/seeded-blog.js';

/** Values that are wrong in most fields. */
const WRONG: readonly unknown[] = [null, -1, 7, true, '', 'a b', '\0', [], ['a b'], {}, deep(40)];
const LONG = 'a.'.repeat(20) + 'a'.repeat(5000);
const PATTERNS = [
  ['nothing.here'],
  ['a'.repeat(300)],
  ['a.'.repeat(20) + 'a'],
  ['*', '*'],
  many(51),
];
const MOMENTS = ['2999-01-01T00:00:00Z', '1970-01-01T00:00:00Z'];
/** Others that are wrong in one of them. */
const SPECIAL: Readonly<Record<string, readonly unknown[]>> = {
  url: [
    ...['ftp://a.example/', 'https://a.example:22/', 'https://u:p@a.example/', 'https://a b/'],
    ...['http://[::1]/', 'https://10.0.0.1/', 'https://localhost/', 'https://a..b/', LONG],
  ],
  events: PATTERNS,
  exclude: PATTERNS,
  description: [LONG],
  filter: [
    ...[{ OR: [] }, { a: { b: { c: 1 } } }, { title: {} }, { title: { nowEq: 1 } }, { no: 1 }],
    ...[{ title: { equals: 1 } }, { eq: 1 }, { title: { in: 1 } }, { title: { gt: true } }],
    ...[{ title: LONG }, { title: false }, deep(10)],
  ],
  changed: [['no'], many(51), ['a'.repeat(200)]],
  fields: [['no'], ['a'.repeat(300)]],
  thin: [true],
  template: ['{}'],
  rateLimit: [
    { max: 0, per: 1 },
    { max: 1e9, per: 1 },
  ],
  headers: [{ Host: 'a' }, { 'X-A': '' }, { 'X-A': 'ä' }, { 'a b': 'c' }, { 'X-A': LONG }],
  auth: [
    { type: 'no' },
    { type: 'bearer' },
    { type: 'bearer', token: 'a b' },
    { type: 'bearer', token: LONG },
    { type: 'basic', username: 'a:b', password: 'a' },
    { type: 'oauth2', tokenUrl: 'https://10.0.0.1/', clientId: 'a', clientSecret: '\0' },
    { type: 'oauth2', tokenUrl: 'ftp://a.example/' },
    { type: 'oauth2', scope: ' ' },
  ],
  timeout: [31, 999, 30_001],
  event: [LONG, 'order.{id}'],
  search: [LONG],
  since: MOMENTS,
  until: MOMENTS,
  expiresAt: MOMENTS.slice(1),
  before: MOMENTS,
};
const ENDPOINT = [
  ...['url', 'events', 'exclude', 'description', 'filter', 'rateLimit', 'holdFor', 'expiresAt'],
];
const SEARCH = ['subscriber', 'message', 'delivery', 'status', 'event', 'subject'];
const RANGE = ['since', 'until'];
/** What the forms of the page send, by the request that sends it. */
const FORMS: readonly (readonly [request: string, fields: readonly string[], right?: object])[] = [
  ['POST /hooks', ENDPOINT, { url: 'https://example.com/', events: ['article.published'] }],
  ['POST /hooks', ['holdFor'], { url: 'https://a.example/', events: ['*'], onExhausted: 'hold' }],
  ['PATCH /hooks/:id', [...ENDPOINT, 'ordered', 'onExhausted', 'headers', 'auth', 'timeout']],
  ['PATCH /hooks/:id', ['changed'], { events: ['article.changed'], exclude: [] }],
  ['PATCH /hooks/:id', ['changed'], { events: ['*'], exclude: [] }],
  ['PATCH /hooks/:id', ['fields', 'thin', 'template']],
  ['POST /hooks/:id/test', ['event', 'data']],
  ['POST /hooks/:id/rotate-secret', ['overlap']],
  ['POST /hooks/:id/recover', RANGE, { since: '2026-01-01T00:00:00Z' }],
  ['POST /hooks/:id/backfill', RANGE, { since: '2026-01-01T00:00:00Z', dryRun: true }],
  ['POST /hooks/filter-preview', ['events', 'exclude', 'filter'], { events: ['*'] }],
  ['POST /hooks/deliveries/retry', ['ids']],
  ['GET /hooks', ['search']],
  ['GET /hooks/deliveries', [...SEARCH, ...RANGE]],
  ['GET /hooks/stats', ['subscriber', 'by', ...RANGE]],
  ['GET /hooks/:id/stats', ['days']],
  ['POST /hooks-operator/pauses', ['host']],
  ['POST /hooks-operator/prune', ['before']],
];

let blog: Awaited<ReturnType<typeof startSeededBlog>>;
beforeAll(async () => {
  blog = await startSeededBlog();
});
afterAll(() => blog.stop());

const send = async (as: keyof typeof TOKENS, method: string, to: URL, body?: object) => {
  const response = await fetch(to, {
    method,
    headers: { authorization: `Bearer ${TOKENS[as]}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
};

describe('what the API refuses, on the German page', () => {
  it('is in German for every code that there is', () => {
    for (const code of REFUSAL_CODES) expect(Object.keys(de.refusals)).toContain(code);
    for (const kind of ['refusals', 'fields', 'problems', 'limits'] as const) {
      for (const [key, text] of Object.entries(de[kind]) as [string, unknown][]) {
        expect(String(text), key).not.toBe(String(en[kind][key as never]));
      }
    }
  });

  it('says nothing to owners that is for developers', () => {
    for (const { refusals, fields, limits } of [de, en]) {
      for (const text of Object.values({ ...refusals, ...fields, ...limits })) {
        expect(String(text)).not.toMatch(/ThornModule|forRoot|api\.|\boptions?\b|Optionen/);
      }
    }
  });

  it('is in German for a filter that cannot be checked', () => {
    const unchecked: UncheckedPaths = {
      field: 'filter',
      code: 'unchecked-paths',
      reason: 'cannot be checked',
      data: { paths: ['title', 'author.name'] },
    };
    expect(refusalIn(de, unchecked, String)).toMatch(
      /^Ob .*title, author\.name.* kann nicht geprüft/,
    );
  });

  it('is in German for whatever the forms can send', async () => {
    const { items } = await send('alice', 'GET', new URL('/hooks', blog.url));
    const [{ id }] = items as [{ id: string }];
    const codes = new Set<string>();
    for (const [request, fields, right = {}] of FORMS) {
      const [method, path] = request.split(' ') as [string, string];
      const as = path.startsWith('/hooks-operator') ? 'operator' : 'alice';
      for (const field of fields) {
        const refusals: Refusal[] = [];
        for (const value of [...WRONG, ...(SPECIAL[field] ?? [])]) {
          const to = new URL(path.replace(':id', id), blog.url);
          if (method === 'GET') to.searchParams.set(field, String(value));
          const body = method === 'GET' ? undefined : { ...right, [field]: value };
          refusals.push(...(((await send(as, method, to, body))['errors'] ?? []) as Refusal[]));
        }
        expect(refusals.length, `${request} ${field}`).toBeGreaterThan(0);
        for (const refusal of refusals) {
          const text = refusalIn(de, refusal, String);
          // The last is how a reason of the application's own is quoted.
          expect(text, JSON.stringify(refusal)).not.toMatch(/undefined|\[object|„/);
          codes.add(refusal.code);
        }
      }
    }
    // The others are of fields that no form has, or of a state or an option that this application is not in.
    expect(REFUSAL_CODES.filter((code) => !codes.has(code))).toEqual([
      ...['unknown-field', 'host-limit', 'hidden-event', 'other-origin', 'malformed-template'],
      ...['not-json', 'excluded', 'too-high', 'in-use', 'rotated-too-often'],
    ]);
  });
});

/** An object of this depth. */
function deep(levels: number): unknown {
  return levels === 0 ? 1 : { a: deep(levels - 1) };
}

function many(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `article.a${at}`);
}
