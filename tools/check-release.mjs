// Usage: node tools/check-release.mjs
//
// Refuses what must not be released, before anything is built or written: npm runs this first when it publishes.
import { execFileSync } from 'node:child_process';
import { changesOf } from './changes.mjs';
import { readManifest, repositoryUrl } from './repository.mjs';

const manifest = readManifest();
const { version } = manifest;
const { GITHUB_REPOSITORY: current, GITHUB_REF_TYPE: kind, GITHUB_REF_NAME: ref } = process.env;
/** @type {string[]} */
const faults = [];

const repository = repositoryUrl(manifest);
if (manifest.repository === undefined) {
  faults.push(
    'package.json does not say where the repository is. Run: npm run set-repository -- owner/name',
  );
} else if (repository === null) {
  faults.push(
    '"repository" in package.json is not on GitHub. Run: npm run set-repository -- owner/name',
  );
} else if (
  // npm refuses provenance otherwise, after everything else was done.
  current !== undefined &&
  repository.toLowerCase() !== `https://github.com/${current}`.toLowerCase()
) {
  faults.push(`package.json says that the repository is ${repository}, but this is ${current}`);
}
if (kind === 'tag' && ref !== `v${version}`) {
  faults.push(`The tag is ${ref}, but package.json has the version ${version}. Tag it v${version}`);
}
if (changesOf(version) === '') {
  faults.push(`CHANGELOG.md has no entry for this version. Write one below "## ${version}"`);
}
const changed = execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' }).trimEnd();
if (changed !== '') {
  faults.push(`The working tree differs from its commit. Commit or remove:\n${changed}`);
}

for (const fault of faults) console.error(fault);
console.log(`release: ${version}, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
