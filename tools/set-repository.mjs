// Usage: npm run set-repository -- owner/name
//
// Puts the repository on GitHub wherever the placeholder stands: in package.json, the guides and the links of problem
// answers.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { PLACEHOLDER } from './repository.mjs';

const [repository = ''] = process.argv.slice(2);
if (!/^[\w-]+\/[\w.-]+$/.test(repository) || repository === PLACEHOLDER) {
  console.error('Name the repository: npm run set-repository -- owner/name');
  process.exit(2);
}
const [from, to] = [`github.com/${PLACEHOLDER}`, `github.com/${repository}`];
const files = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n');
let changed = 0;
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(from)) continue;
  writeFileSync(file, text.replaceAll(from, to));
  changed += 1;
}
console.log(`${repository}: ${changed} files changed`);
