import { posix } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';

/** The anchor of a heading, as GitHub makes it: the pages are read there as well. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/**
 * Makes links to files outside of `docs/` lead to the repository.
 *
 * @param repository null: their texts stay, without a link
 */
export function linkToRepository(repository: string | null) {
  return (markdown: MarkdownRenderer): void => {
    markdown.core.ruler.push('link-to-repository', ({ tokens, env }) => {
      const { relativePath } = env as { readonly relativePath: string };
      const children = tokens.flatMap((token) => token.children ?? []);
      for (const [at, token] of children.entries()) {
        const href = token.attrGet('href');
        if (token.type !== 'link_open' || href === null || !href.startsWith('.')) continue;
        const path = posix.join('docs', posix.dirname(relativePath), href);
        if (path === 'docs' || path.startsWith('docs/')) continue;
        if (repository === null) {
          const end = children.slice(at).find(({ type }) => type === 'link_close');
          token.attrs = null;
          token.tag = 'span';
          if (end !== undefined) end.tag = 'span';
        } else token.attrSet('href', `${repository}/blob/main/${path}`);
      }
    });
  };
}
