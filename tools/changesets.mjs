// Usage: node tools/changesets.mjs <command of changesets> [arguments]
//
// Runs the command line of changesets on this package. It overlooks the root of a repository with workspaces, so
// "workspaces", which only the tests need, is taken out of package.json meanwhile.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const WORKSPACES = /\n {2}"workspaces": \[[^\]]*\],/;
const [workspaces] = WORKSPACES.exec(readFileSync('package.json', 'utf8')) ?? [''];
edit((text) => text.replace(WORKSPACES, ''));
try {
  const { status } = spawnSync('npx', ['--yes', '@changesets/cli@2', ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} finally {
  edit((text) => text.replace(/\n {2}"scripts": /, `${workspaces}$&`));
}

/** @param {(text: string) => string} change */
function edit(change) {
  writeFileSync('package.json', change(readFileSync('package.json', 'utf8')));
}
