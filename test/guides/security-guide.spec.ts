import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('docs/security/threats.md', () => {
  const threats = text('docs/security/threats.md');
  const rows = threats.match(/^\| (?!threat|-).*$/gm)!;
  const proofs = rows.map((row) => /\| `([^`]+\.spec\.ts)`: (.+?) +\|$/.exec(row));

  it('names a test for each threat', () => {
    expect(rows).not.toEqual([]);
    expect(rows.filter((_, at) => proofs[at] === null)).toEqual([]);
  });

  it.each(proofs.map((proof) => [proof?.[1] ?? '', proof?.[2] ?? '']))('%s: %s', (file, title) => {
    // As the title of a test stands in its file: after a quote.
    expect([`'${title}`, `"${title}`].some((start) => text(file).includes(start))).toBe(true);
  });
});
