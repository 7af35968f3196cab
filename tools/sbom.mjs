// Usage: node tools/sbom.mjs
//
// Prints the software bill of materials in CycloneDX: the package, and what it brings with it, at the versions that are
// locked. `npm sbom` would mix in the workspaces of the tests, so it gets the dependencies of users alone.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readManifest } from './repository.mjs';

const { name, version, description, license, repository, dependencies } = readManifest();
const folder = mkdtempSync(join(tmpdir(), 'thorn-sbom-'));
try {
  // npm calls the package as its folder is called.
  const cwd = join(folder, name);
  mkdirSync(cwd);
  const manifest = { name, version, description, license, repository, dependencies };
  writeFileSync(join(cwd, 'package.json'), JSON.stringify(manifest));
  copyFileSync('package-lock.json', join(cwd, 'package-lock.json'));
  const lockOnly = ['--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'];
  // Drops from the copy what the package does not bring.
  execFileSync('npm', ['install', ...lockOnly], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync(
    'npm',
    ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'library', '--package-lock-only'],
    { cwd, stdio: 'inherit' },
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
