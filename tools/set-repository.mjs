// Usage: npm run set-repository -- owner/name, or its URL on GitHub
//
// Writes where the repository is into package.json. Everything else is made of it when it is built, packed or published.
import { readFileSync, writeFileSync } from 'node:fs';
import { repositoryName } from './repository.mjs';

// What was given is not repeated: the URL of a remote may hold a token.
const [given = '', ...others] = process.argv.slice(2);
const name = others.length > 0 ? null : repositoryName(given);
if (name === null) {
  console.error(
    'This is not a repository on GitHub. Nothing was written. Write: npm run set-repository -- owner/name',
  );
  process.exit(2);
}
const text = readFileSync('package.json', 'utf8');
const { repository: _, ...manifest } = JSON.parse(text);
// After the licence, where npm's own order has it.
const entries = Object.entries(manifest);
const at = entries.findIndex(([field]) => field === 'license') + 1;
entries.splice(at, 0, ['repository', { type: 'git', url: `git+https://github.com/${name}.git` }]);
writeFileSync('package.json', `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
console.log(`package.json: the repository is https://github.com/${name}`);
