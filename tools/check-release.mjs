// Usage: node tools/check-release.mjs
//
// Checks what only a release needs: package.json says where the repository is, and in a workflow of GitHub it is the one
// that the workflow runs in. npm refuses provenance otherwise, after the version was made.
import { readFileSync } from 'node:fs';
import { PLACEHOLDER } from './repository.mjs';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const { GITHUB_REPOSITORY: current } = process.env;
/** @type {string[]} */
const faults = [];
for (const field of ['repository', 'homepage', 'bugs']) {
  if (manifest[field] === undefined) faults.push(`package.json has no "${field}"`);
}
const { url = manifest.repository } = manifest.repository ?? {};
const named = typeof url === 'string' ? repositoryOf(url) : null;
if (named === PLACEHOLDER) {
  faults.push('package.json does not name the repository: npm run set-repository -- owner/name');
} else if (manifest.repository !== undefined && named === null) {
  faults.push('"repository" in package.json must be the URL of a repository on GitHub');
}
if (
  named !== null &&
  named !== PLACEHOLDER &&
  current !== undefined &&
  named.toLowerCase() !== current.toLowerCase()
) {
  faults.push(`"repository" in package.json names ${named}, but this is ${current}`);
}
for (const fault of faults) console.error(`${fault}; see "Releases" in CONTRIBUTING.md`);
console.log(`release: ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;

/** @param {string} url */
function repositoryOf(url) {
  return (
    /^(?:git\+)?(?:https:\/\/|ssh:\/\/git@)github\.com\/([\w.-]+\/[\w.-]+?)(?:\.git)?$/.exec(
      url,
    )?.[1] ?? null
  );
}
