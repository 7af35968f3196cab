import { describe, expect, it } from 'vitest';
import { fillTemplate } from './payload.js';

describe('a reference template', () => {
  it('is filled from the row, nested values included', () => {
    expect(fillTemplate('/a/{id}/by/{author.name}', { id: 7n, author: { name: 'ada' } })).toBe(
      '/a/7/by/ada',
    );
  });

  it.each(['a/b', 'a?b', 'a#b', 'ä b', '%2e%2e'])('keeps %s in its place', (name) => {
    const url = new URL(fillTemplate('/users/{name}/posts', { name }), 'https://example.com');

    expect(url.pathname.split('/')).toHaveLength(4);
    expect(decodeURIComponent(url.pathname.split('/')[2]!)).toBe(name);
    expect(url.search + url.hash).toBe('');
  });

  it.each([null, undefined, '', {}, '..', '.'])('refuses %o', (name) => {
    expect(() => fillTemplate('/users/{name}', { name })).toThrow(/\{name\}/);
  });
});
