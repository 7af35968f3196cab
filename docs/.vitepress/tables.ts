import type { MarkdownRenderer } from 'vitepress';

const ROLES: Readonly<Record<string, string>> = {
  table_open: 'table',
  tr_open: 'row',
  th_open: 'columnheader',
  td_open: 'cell',
};

/**
 * Gives each cell the title of its column, which the style sheet shows on narrow screens: there a row is a card. The roles
 * stay when the style sheet turns a table into blocks.
 */
export function titleCells(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('title-cells', ({ tokens }) => {
    let titles: string[] = [];
    let column = 0;
    for (const [index, token] of tokens.entries()) {
      const role = ROLES[token.type];
      if (role !== undefined) token.attrSet('role', role);
      if (token.type === 'table_open') titles = [];
      if (token.type === 'tr_open') column = 0;
      if (token.type === 'th_open') titles.push(tokens[index + 1].content.replaceAll('`', ''));
      if (token.type === 'td_open') token.attrSet('data-title', titles[column++] ?? '');
    }
  });
}
