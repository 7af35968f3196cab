import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sitePages } from '../../docs/.vitepress/pages.js';

/** A fenced block of a page. */
export interface Block {
  /** The page and the line that the block begins at: `docs/events.md:12`. */
  readonly place: string;
  readonly page: string;
  readonly language: string;
  readonly code: string;
}

/** What the package carries, and every page below docs/. */
export function pages(): readonly string[] {
  const below = readdirSync('docs', { recursive: true, encoding: 'utf8' });
  return [
    'AGENTS.md',
    'README.md',
    ...below.filter((name) => name.endsWith('.md')).map(inDocs),
  ].toSorted();
}

/** A guide and the pages that go on with it, in the order of the site: `docs/events.md` and those of `docs/events/`. */
export function partsOf(page: string): readonly string[] {
  const files = sitePages().map(({ file }) => inDocs(file));
  return files.filter((file) => guideOf(file) === guideOf(page));
}

/** The text of a guide with all of its pages. */
export function textOf(page: string): string {
  return partsOf(page)
    .map((part) => readFileSync(part, 'utf8'))
    .join('\n');
}

/** The guide that a page belongs to: `docs/events.md` for itself and `docs/events/methods.md`. */
export function guideOf(page: string): string {
  const first = `${page.replace(/\.md$/, '').split('/').slice(0, 2).join('/')}.md`;
  return existsSync(first) ? first : page;
}

export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(page, 'utf8');
  // Also in lists, where they are indented.
  return [...text.matchAll(/^( *)```(\w*)[^\n]*\n(.*?)^\1```$/gms)].map(
    ({ index, 1: indent, 2: language, 3: code }) => ({
      place: `${page}:${text.slice(0, index).split('\n').length}`,
      page,
      language: language!,
      code: code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
}

/** What a difference leads to. */
export function withWhatIsAdded({ code }: Block): string {
  return code.replaceAll(/^-.*\n/gm, '').replaceAll(/^[+ ]/gm, '');
}

function inDocs(name: string): string {
  return join('docs', name);
}
