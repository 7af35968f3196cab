import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES, sitePages } from './pages.js';

export interface ModelTextOptions {
  readonly description: string;
  /** The path at which the site is served. */
  readonly base: string;
}

const AGENTS = 'AGENTS.md';

/**
 * What the site has for language models, by path: the index, every page in one text, and each page as Markdown beside its
 * own address.
 *
 * @see https://llmstxt.org
 */
export function textsForModels(
  root: string,
  options: ModelTextOptions,
): ReadonlyMap<string, string> {
  const pages = new Map([[AGENTS, readFileSync(join(root, AGENTS), 'utf8')]]);
  for (const { file } of sitePages()) {
    const text = readFileSync(join(root, 'docs', file), 'utf8');
    pages.set(file, text.replaceAll(/<!-- search: .*? -->\n\n/g, ''));
  }
  const all = [...pages.values()].join('\n');
  return new Map([...pages, ['llms.txt', indexOf(pages, options)], ['llms-full.txt', all]]);
}

function indexOf(
  pages: ReadonlyMap<string, string>,
  { description, base }: ModelTextOptions,
): string {
  const agents = { text: 'How to add, test and receive events', file: AGENTS };
  const groups = [{ text: 'To write code', items: [agents] }, ...PAGES];
  const sections = groups.map(({ text, items }, index) => {
    // "Optional" is what a model may leave out: what contributors read.
    const title = index === groups.length - 1 ? 'Optional' : text;
    const links = items.map(({ text: name, file }) => {
      return `- [${name}](${base}${file}): ${firstSentence(pages.get(file)!)}`;
    });
    return `## ${title}\n\n${links.join('\n')}\n`;
  });
  return `# Thorn for NestJS\n\n> ${description}\n\n${sections.join('\n')}`;
}

/** The first sentence below the heading, without links. */
function firstSentence(page: string): string {
  const paragraph = /^# .+\n+((?![#|<!-]|```)\S[^]*?)\n\n/m.exec(page)?.[1] ?? '';
  const text = paragraph.replaceAll(/\s+/g, ' ').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  return /^.*?[.:](?= |$)/.exec(text)?.[0].replace(/:$/, '.') ?? text;
}
