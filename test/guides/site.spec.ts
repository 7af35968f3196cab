import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fullText, summary } from '../../docs/.vitepress/llms.js';
import { sitePages } from '../../docs/.vitepress/pages.js';
import { pages } from './blocks.js';

const written = pages()
  .filter((page) => page.startsWith('docs/'))
  .map((page) => page.slice('docs/'.length));

const MOST_LINES = 250;

describe('the site of the guides', () => {
  it('lists every page once', () => {
    expect(
      sitePages()
        .map(({ file }) => file)
        .toSorted(),
    ).toEqual(written);
  });

  it('has no page of more than 250 lines, but for what is looked up', () => {
    const read = written.filter((page) => !page.startsWith('reference/'));
    const long = read.filter((page) => {
      return readFileSync(`docs/${page}`, 'utf8').trimEnd().split('\n').length > MOST_LINES;
    });
    expect(long).toEqual([]);
  });

  it('leads from its first page to each of the others', () => {
    const first = readFileSync('docs/index.md', 'utf8');
    const linked = new Set([...first.matchAll(/\]\(([^)#:]+\.md)\)/g)].map(([, path]) => path!));
    const others = written.filter((page) => page !== 'index.md');
    expect(others.filter((page) => !linked.has(page))).toEqual([]);
  });

  it('tells language models of each page in a sentence', () => {
    const lines = summary('docs', 'Webhooks')
      .split('\n')
      .filter((line) => line.startsWith('- '));
    expect(lines).toHaveLength(written.length);
    expect(lines.filter((line) => !/^- \[.+\]\(\/.+\): \S.+\.$/.test(line))).toEqual([]);
    expect(fullText('docs')).toContain('# Events');
  });
});
