// Usage: node tools/packed-pages.mjs write | restore
//
// The package has pages that link to the repository around them: the README, which registries show, the changelog, and the
// guides to which errors and commands lead. npm runs this before and after it packs: the links lead to the repository as it was at this
// version, and pictures come from there. Without a repository in package.json the texts of the links stay.
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readManifest, repositoryUrl } from './repository.mjs';

export const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'docs/errors.md',
  'docs/migrations.md',
  'docs/tutorial/drizzle.md',
  'docs/tutorial/prisma.md',
];
const KEPT = '.cache/packed';
const RELATIVE_LINK = /(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)]+)\)/g;
/** A picture that is another one in the dark is HTML. */
const PICTURE = /<picture>.*?<img [^>]*alt="([^"]*)".*?<\/picture>/gs;
const RELATIVE_SOURCE = /\b(src|srcset)="(?![a-z]+:)([^"]+)"/g;

/**
 * The links of a page that lead nowhere outside of the repository.
 *
 * @param {string} text
 */
export function relativeLinks(text) {
  return [...text.matchAll(RELATIVE_LINK), ...text.matchAll(RELATIVE_SOURCE)].map(([link]) => link);
}

/**
 * A page with absolute links.
 *
 * @param {string} page its path in the repository
 * @param {string} text
 * @param {{ repository?: { url?: string }, version: string }} manifest
 */
export function withAbsoluteLinks(page, text, manifest) {
  const repository = repositoryUrl(manifest);
  if (repository === null) {
    return text.replaceAll(PICTURE, '$1').replaceAll(RELATIVE_LINK, '$2');
  }
  const urlOf = (/** @type {string} */ kind, /** @type {string} */ target) =>
    `${repository}/${kind}/v${manifest.version}/${posix.join(posix.dirname(page), target)}`;
  return text
    .replaceAll(RELATIVE_LINK, (_, picture, words, target) => {
      const kind = picture === '' ? 'blob' : 'raw';
      return `${picture}[${words}](${urlOf(kind, target)})`;
    })
    .replaceAll(RELATIVE_SOURCE, (_, name, target) => `${name}="${urlOf('raw', target)}"`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [step] = process.argv.slice(2);
  if (step === 'write') {
    const manifest = readManifest();
    mkdirSync(KEPT, { recursive: true });
    for (const page of PAGES) {
      copyFileSync(page, join(KEPT, basename(page)));
      writeFileSync(page, withAbsoluteLinks(page, readFileSync(page, 'utf8'), manifest));
    }
  } else if (step === 'restore') {
    for (const page of PAGES)
      renameSync(join(KEPT, basename(page)), join(dirname(page), basename(page)));
  } else {
    console.error('Say which: node tools/packed-pages.mjs write, or restore');
    process.exitCode = 2;
  }
}
