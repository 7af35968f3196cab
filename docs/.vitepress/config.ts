import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { renderDiagrams } from './diagrams.js';
import { anchorOf, linkToRepository } from './links.js';
import { textsForModels } from './llms.js';
import { repositoryUrl } from '../../tools/repository.mjs';
import { PAGES } from './pages.js';
import { search } from './search.js';
import { titleCells } from './tables.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
  'version' | 'description',
  string
>;
const { version, description } = manifest;
// Null until package.json says where the repository is: nothing leads there then.
const repository = repositoryUrl(manifest);
/** The path at which the site is served. */
const base = process.env.DOCS_BASE ?? '/';
if (!/^\/(?:[\w.-]+\/)*$/.test(base)) {
  throw new Error(
    `DOCS_BASE is ${base}: give a path that begins and ends with "/", as in /nestjs-thorn/`,
  );
}

export default defineConfig({
  title: 'Thorn for NestJS',
  description,
  base,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}favicon.svg` }]],
  outDir: join(root, '.cache/site'),
  cacheDir: join(root, '.cache/vitepress'),
  lastUpdated: true,
  cleanUrls: true,
  themeConfig: {
    logo: '/favicon.svg',
    search,
    outline: [2, 3],
    nav: [
      { text: 'Five minutes', link: '/getting-started' },
      { text: 'Events', link: '/events' },
      { text: 'Options', link: '/reference/module' },
      // A page of its own, which the build of the reference writes beside the site.
      { text: 'Types', link: '/types/index.html', target: '_self' },
      ...(repository === null
        ? []
        : [{ text: version, link: `${repository}/blob/v${version}/CHANGELOG.md` }]),
    ],
    sidebar: PAGES.map(({ text, items, collapsed = false }) => ({
      text,
      collapsed,
      items: items.map(({ text: name, file }) => ({
        text: name,
        link: `/${file.replace(/(?:index)?\.md$/, '')}`,
      })),
    })),
    ...(repository !== null && {
      editLink: { pattern: `${repository}/edit/main/docs/:path`, text: 'Edit this page' },
      socialLinks: [{ icon: 'github' as const, link: repository }],
    }),
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
  buildEnd: ({ outDir }) => {
    for (const [name, text] of textsForModels(root, { description, base })) {
      mkdirSync(dirname(join(outDir, name)), { recursive: true });
      writeFileSync(join(outDir, name), text);
    }
  },
});
