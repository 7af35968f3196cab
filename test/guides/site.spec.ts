import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textsForModels } from '../../docs/.vitepress/llms.js';
import { sitePages } from '../../docs/.vitepress/pages.js';
import { pages } from './blocks.js';

const written = pages()
  .filter((page) => page.startsWith('docs/'))
  .map((page) => page.slice('docs/'.length));

/** The pages that a page links to. */
function linksOf(page: string): readonly string[] {
  const text = readFileSync(join('docs', page), 'utf8');
  return [...text.matchAll(/\]\(([^)#:]+\.md)(?:#[^)]*)?\)/g)]
    .map(([, path]) => join(dirname(page), path!))
    .filter((path) => !path.startsWith('..'));
}

describe('the site of the guides', () => {
  it('lists every page once', () => {
    expect(
      sitePages()
        .map(({ file }) => file)
        .toSorted(),
    ).toEqual(written);
  });

  it('leads from its first page to each of the others', () => {
    const reached = new Set(['index.md']);
    // A set goes on with what is added while it is walked through.
    for (const page of reached) for (const next of linksOf(page)) reached.add(next);
    expect(written.filter((page) => !reached.has(page))).toEqual([]);
  });

  it('has an index for language models, as llmstxt.org describes it', () => {
    const texts = textsForModels('.', { description: 'Webhooks', base: '/thorn/' });
    const [head, ...sections] = texts.get('llms.txt')!.split(/^## /m);
    expect(head).toBe('# Thorn for NestJS\n\n> Webhooks\n\n');
    expect(sections.at(-1)).toMatch(/^Optional\n/);
    const files = sections.flatMap((section) => section.split('\n').slice(2).filter(Boolean));
    const named = files.map((line) => /^- \[.+\]\(\/thorn\/(.+)\): \S.+\.$/.exec(line)?.[1]);
    expect(named.toSorted()).toEqual(['AGENTS.md', ...written].toSorted());
    for (const name of named) expect(texts.get('llms-full.txt')).toContain(texts.get(name!));
  });
});
