import { describe, expect, it } from 'vitest';
import { changesOf } from '../../page/core/attempt-changes.js';
import { csvOf, urlForFile } from '../../page/core/csv.js';
import type { ShownAttempt } from '../../page/core/deliveries.js';
import { shortUrl } from '../../page/core/short-url.js';

describe('a file of a list', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '\n@x'])(
    'has no formula in %j',
    (text) => {
      expect(csvOf([[text]])).toBe(`\ufeff"'${text}"\r\n`);
    },
  );

  it('keeps quotes, commas, line breaks and numbers', () => {
    expect(csvOf([['a "b", c\nd', 12, -1, null, '']])).toBe('\ufeff"a ""b"", c\nd",12,-1,,""\r\n');
  });

  it('has no password and no query of a URL', () => {
    expect(urlForFile('https://me:secret@example.com:8443/hooks?token=1#x')).toBe(
      'https://example.com:8443/hooks',
    );
  });
});

it.each([
  ['https://example.com/', 'example.com'],
  ['https://example.com/webhooks?a=1', 'example.com/webhooks?a=1'],
  ['http://127.0.0.1:3000/hooks', 'http://127.0.0.1:3000/hooks'],
  [`https://example.com/begin/${'x'.repeat(80)}/the-end`, /^example\.com\/begin\/x+…x+\/the-end$/],
  ['no url', 'no url'],
])('the URL %s is short in a list', (url, short) => {
  expect(shortUrl(url)).toEqual(typeof short === 'string' ? short : expect.stringMatching(short));
});

describe('what changed between attempts', () => {
  const attempt: ShownAttempt = {
    ...{ number: 1, startedAt: '2026-03-12T15:04:00.000Z', duration: 12, status: 500, error: null },
    ...{ response: 'out of order', answerHeaders: { date: 'Mon', server: 'nginx' } },
  };

  it('is nothing for another time, number and duration', () => {
    const next = { ...attempt, number: 2, duration: 99, startedAt: '2026-03-12T15:05:00.000Z' };
    const answerHeaders = { server: 'nginx', date: 'Tue' };
    expect(changesOf(attempt, { ...next, answerHeaders })).toEqual([]);
  });

  it.each([
    ['status', { status: 503 }],
    ['body', { response: 'back at noon' }],
    ['headers', { answerHeaders: { server: 'nginx', 'retry-after': '60' } }],
    ['error', { error: { code: 'timeout', message: 'x' } }],
  ])('is the %s', (change, other) => {
    expect(changesOf(attempt, { ...attempt, ...other })).toEqual([change]);
  });
});
