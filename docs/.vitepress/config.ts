import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { renderDiagrams } from './diagrams.js';
import { anchorOf, linkToRepository } from './links.js';
import { fullText, summary } from './llms.js';
import { PAGES } from './pages.js';
import { titleCells } from './tables.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { version, description, homepage } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
) as Record<'version' | 'description' | 'homepage', string>;
const repository = homepage.replace(/#.*$/, '');

export default defineConfig({
  title: 'Thorn for NestJS',
  description,
  outDir: join(root, '.cache/site'),
  cacheDir: join(root, '.cache/vitepress'),
  lastUpdated: true,
  cleanUrls: true,
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Tutorial', link: '/tutorial' },
      { text: 'Events', link: '/events' },
      { text: 'Configuration', link: '/configuration' },
      // A page of its own, which the build of the reference writes beside the site.
      { text: 'Types', link: '/types/index.html', target: '_self' },
      {
        text: version === '0.0.0' ? 'next' : version,
        items: [{ text: 'Changes', link: `${repository}/blob/main/CHANGELOG.md` }],
      },
    ],
    sidebar: PAGES.map(({ text, items, collapsed = false }) => ({
      text,
      collapsed,
      items: items.map(({ text: name, file }) => ({
        text: name,
        link: `/${file.replace(/(?:index)?\.md$/, '')}`,
      })),
    })),
    editLink: { pattern: `${repository}/edit/main/docs/:path`, text: 'Edit this page' },
    socialLinks: [{ icon: 'github', link: repository }],
  },
  markdown: {
    // Those whose colours can be read by everybody.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify: anchorOf },
    config: (markdown) => {
      markdown.use(linkToRepository(repository));
      markdown.use(renderDiagrams);
      markdown.use(titleCells);
    },
  },
  buildEnd: ({ outDir, srcDir }) => {
    writeFileSync(join(outDir, 'llms.txt'), summary(srcDir, description));
    writeFileSync(join(outDir, 'llms-full.txt'), fullText(srcDir));
  },
});
