// Usage: node tools/check-prose.mjs [page ...]
//
// Says which sentences of the guides are too long, and which words of CONTRIBUTING.md, "Prose", they use. A colon and a
// semicolon end a sentence. Tables, code and the generated reference are left out.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const MOST_WORDS = 25;
/** @type {readonly (readonly [words: RegExp, instead: string])[]} */
const INSTEAD = [
  [/\b(?:nobody|whoever)\b/i, 'say who: no subscriber, no worker, the caller'],
  [/\b(?:tells?|told) of\b/i, 'reports, shows'],
  [/\b(?:as good as gone|for ever|in vain|without a word)\b/i, 'say what happens'],
  [/(?<!\bthere )\b(?:is|are) no (?!longer|more)/i, '"is not a", "cannot"'],
];

/**
 * The faults of a page, with the numbers of their lines.
 *
 * @param {string} text
 * @returns {readonly { line: number, fault: string }[]}
 */
export function proseFaults(text) {
  const faults = [];
  for (const { line, prose } of paragraphsOf(text)) {
    for (const sentence of prose.split(/(?<=[.!?:;])\s+/)) {
      const words = sentence.split(' ').length;
      const begin = sentence.split(' ').slice(0, 6).join(' ');
      if (words > MOST_WORDS) faults.push({ line, fault: `${words} words: ${begin} …` });
      for (const [pattern, instead] of INSTEAD) {
        const [found] = pattern.exec(sentence) ?? [];
        if (found !== undefined) faults.push({ line, fault: `"${found.trim()}": ${instead}` });
      }
    }
  }
  return faults;
}

/** @param {string} text */
function paragraphsOf(text) {
  const plain = text
    // The lines stay where they are.
    .replaceAll(/^( *)```.*?^\1```|^---\n.*?^---|<!--.*?-->/gms, (code) =>
      code.replaceAll(/[^\n]/g, ''),
    )
    .replaceAll(/^(?:\||#|!\[|\s*> \[!).*$/gm, '')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/`[^`]+`/g, 'X');
  let line = 1;
  return plain.split(/(\n\s*\n|\n(?=\s*(?:[-*>]|\d+\.)\s))/).flatMap((part) => {
    const begin = line;
    line += part.split('\n').length - 1;
    const prose = part
      .replace(/^\s*(?:[-*>]|\d+\.)\s+/, '')
      .replaceAll(/\s+/g, ' ')
      .trim();
    return prose === '' ? [] : [{ line: begin, prose }];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const below = readdirSync('docs', { recursive: true, encoding: 'utf8' }).toSorted();
  const guides = below.filter((name) => name.endsWith('.md') && !name.startsWith('reference'));
  const given = process.argv.slice(2);
  const pages =
    given.length > 0 ? given : ['README.md', ...guides.map((name) => join('docs', name))];
  for (const page of pages) {
    for (const { line, fault } of proseFaults(readFileSync(page, 'utf8'))) {
      console.error(`${page}:${line} ${fault}`);
      process.exitCode = 1;
    }
  }
}
