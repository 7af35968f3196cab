import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('docs/guarantees.md', () => {
  const proofs = [...text('docs/guarantees.md').matchAll(/\| `([^`]+\.spec\.ts)`: (.+?) +\|$/gm)];

  it('proves its guarantees', () => {
    const rows = text('docs/guarantees.md').match(/^\| (?!-|Situation)/gm)!.length;
    expect(rows).toBeGreaterThan(20);
    expect(proofs).toHaveLength(rows);
  });

  it.each(proofs.map(([, file, title]) => [file!, title!]))('by %s: %s', (file, title) => {
    expect(text(file)).toContain(`'${title}`);
  });
});
