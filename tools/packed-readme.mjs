// Usage: node tools/packed-readme.mjs write | restore
//
// A registry shows the README without the repository around it. npm runs this before and after it packs: links to files
// lead to the repository as it was at this version, and pictures come from there. The guides are not in the package.
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const KEPT = '.cache/README.md';

/**
 * The README with absolute links.
 *
 * @param {string} readme
 * @param {{ homepage: string, version: string }} manifest
 */
export function withAbsoluteLinks(readme, { homepage, version }) {
  const repository = homepage.replace(/#.*$/, '');
  const at = version === '0.0.0' ? 'main' : `v${version}`;
  return readme.replaceAll(
    /(!?)(\[[^\]]*\])\((?![a-z]+:|#)([^)]+)\)/g,
    (_, picture, text, path) =>
      `${picture}${text}(${repository}/${picture === '' ? 'blob' : 'raw'}/${at}/${path})`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [step] = process.argv.slice(2);
  if (step === 'write') {
    mkdirSync('.cache', { recursive: true });
    copyFileSync('README.md', KEPT);
    const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
    writeFileSync('README.md', withAbsoluteLinks(readFileSync('README.md', 'utf8'), manifest));
  } else if (step === 'restore') {
    renameSync(KEPT, 'README.md');
  } else {
    console.error('Say which: node tools/packed-readme.mjs write, or restore');
    process.exitCode = 2;
  }
}
