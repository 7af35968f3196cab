// Usage: node tools/changes.mjs
//
// Prints what CHANGELOG.md says of the version in package.json: the text of its release on GitHub.
import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { withAbsoluteLinks } from './packed-pages.mjs';
import { readManifest } from './repository.mjs';

/**
 * The entry of a version without its heading, in which a date may follow; empty where there is none.
 *
 * @param {string} version
 */
export function changesOf(version) {
  const text = existsSync('CHANGELOG.md') ? readFileSync('CHANGELOG.md', 'utf8') : '';
  const entry = text.split(/^## /m).find((part) => part.split(/\s/, 1)[0] === version);
  return entry?.split('\n').slice(1).join('\n').trim() ?? '';
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const manifest = readManifest();
  console.log(withAbsoluteLinks('CHANGELOG.md', changesOf(manifest.version), manifest));
}
