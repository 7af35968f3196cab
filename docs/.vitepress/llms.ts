import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES, sitePages } from './pages.js';

/**
 * The index of the pages for language models.
 *
 * @see https://llmstxt.org
 */
export function summary(directory: string, description: string): string {
  const sections = PAGES.map(({ text, items }) => {
    const links = items.map(({ text: name, file }) => {
      const path = file.replace(/\.md$/, '');
      return `- [${name}](/${path}): ${firstSentence(readFileSync(join(directory, file), 'utf8'))}`;
    });
    return `## ${text}\n\n${links.join('\n')}\n`;
  });
  return `# Thorn for NestJS\n\n> ${description}\n\n${sections.join('\n')}`;
}

/** All pages in one text. */
export function fullText(directory: string): string {
  return sitePages()
    .map(({ file }) => readFileSync(join(directory, file), 'utf8'))
    .join('\n');
}

/** The first sentence below the heading, without links. */
function firstSentence(page: string): string {
  const paragraph = /^# .+\n+((?![#|<!-]|```)\S[^]*?)\n\n/m.exec(page)?.[1] ?? '';
  const text = paragraph.replaceAll(/\s+/g, ' ').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  return /^.*?[.:](?= |$)/.exec(text)?.[0].replace(/:$/, '.') ?? text;
}
