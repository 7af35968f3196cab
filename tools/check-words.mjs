// Usage: node tools/check-words.mjs
//
// Counts the words of the pages below docs/, without code, and refuses a guide or a whole that is too long. What is looked
// up (docs/reference) counts in the whole alone.
import { readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** A guide that needs more has a page for its details. */
export const MOST_WORDS = { guide: 1_200, all: 45_000 };

/**
 * The words that a reader of a page sees outside of its blocks of code.
 *
 * @param {string} text
 */
export function wordsOf(text) {
  const prose = text
    .replace(/^---\n.*?\n---\n/s, '')
    .replaceAll(/^( *)```.*?^\1```$/gms, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .replaceAll(/^\[[^\]]+\]: .*$/gm, '');
  return prose.match(/[\p{L}\p{N}][\p{L}\p{N}'’.\-_`()@/:]*/gu)?.length ?? 0;
}

/**
 * What is too long.
 *
 * @param {Readonly<Record<string, string>>} pages their texts by path below docs/
 * @param {{ guide: number, all: number }} most
 */
export function wordFaults(pages, most) {
  const counts = Object.entries(pages).map(([page, text]) => ({ page, words: wordsOf(text) }));
  const all = counts.reduce((sum, { words }) => sum + words, 0);
  const faults = counts
    .filter(({ page, words }) => !page.startsWith('reference/') && words > most.guide)
    .map(({ page, words }) => `docs/${page} has ${words} words, at most ${most.guide} are allowed`);
  if (all > most.all) faults.push(`docs has ${all} words, at most ${most.all} are allowed`);
  return { counts, all, faults };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const names = readdirSync('docs', { recursive: true, encoding: 'utf8' });
  const pages = names.filter((name) => name.endsWith('.md'));
  const { counts, all, faults } = wordFaults(
    Object.fromEntries(pages.map((page) => [page, readFileSync(`docs/${page}`, 'utf8')])),
    MOST_WORDS,
  );
  const longest = counts
    .filter(({ page }) => !page.startsWith('reference/'))
    .toSorted((one, other) => other.words - one.words)
    .slice(0, 5)
    .map(({ page, words }) => `${page} ${words}`);
  for (const fault of faults) console.error(fault);
  console.log(`words: ${all} on ${pages.length} pages; the longest guides: ${longest.join(', ')}`);
  process.exitCode = faults.length > 0 || pages.length === 0 ? 1 : 0;
}
