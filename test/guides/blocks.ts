import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a page. */
export interface Block {
  /** The page and the line that the block begins at: `docs/events.md:12`. */
  readonly place: string;
  readonly page: string;
  readonly language: string;
  readonly code: string;
}

/** The README and every page below docs/. */
export function pages(): readonly string[] {
  const below = readdirSync('docs', { recursive: true, encoding: 'utf8' });
  return ['README.md', ...below.filter((name) => name.endsWith('.md')).map(inDocs)].toSorted();
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
