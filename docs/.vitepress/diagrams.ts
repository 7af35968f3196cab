import { renderMermaidSVG } from 'beautiful-mermaid';
import type { MarkdownRenderer } from 'vitepress';

// The site asks no other host for anything.
const FONT_IMPORT = /@import url\([^)]*\);/g;

/** Draws blocks of Mermaid in the build, in the colours of the site: the page needs no script for them. */
export function renderDiagrams(markdown: MarkdownRenderer): void {
  const fence = markdown.renderer.rules.fence!;
  markdown.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info, content } = tokens[index];
    if (info.trim() !== 'mermaid') return fence(tokens, index, ...rest);
    const heading = tokens.slice(0, index).findLast(({ type }) => type === 'heading_open');
    const title = heading === undefined ? '' : tokens[tokens.indexOf(heading) + 1].content;
    const svg = renderMermaidSVG(content, {
      bg: 'var(--vp-c-bg)',
      fg: 'var(--vp-c-text-1)',
      font: 'inherit',
      transparent: true,
    });
    const drawing = svg
      .replaceAll(FONT_IMPORT, '')
      .replace(
        /^<svg /,
        `<svg role="img" aria-label="${markdown.utils.escapeHtml(`Diagram: ${title}`)}" class="diagram" `,
      );
    // As text: Vue leaves the styles out of a template, in the browser alone.
    return `<figure v-html="${markdown.utils.escapeHtml(JSON.stringify(drawing))}"></figure>\n`;
  };
}
