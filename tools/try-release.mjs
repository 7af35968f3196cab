// Usage: node tools/try-release.mjs
//
// Publishes without uploading, from a clone of the commit at hand: refused as long as package.json does not say where the
// repository is, and from then on with the files of `npm run check:published`. The clone is left as it was. Run
// `npm run build` and `npm run check:published` first.
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { packedFile } from './packed-file.mjs';
import { repositoryUrl } from './repository.mjs';

const folder = mkdtempSync(join(tmpdir(), 'thorn-release-'));
const clone = join(folder, 'clone');
try {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', resolve('.'), clone]);
  // Installed here already.
  symlinkSync(resolve('node_modules'), join(clone, 'node_modules'));
  appendFileSync(join(clone, '.git/info/exclude'), 'node_modules\n');

  if (repositoryUrl(manifestOf()) === null) {
    const { status, output } = publish();
    expect(
      status !== 0 && output.includes('npm run set-repository'),
      'refuses without a repository',
      output,
    );
    expect(changes() === '', 'leaves the clone alone when it refuses', changes());
    run('npm', ['run', '--silent', 'set-repository', '--', 'example/nestjs-thorn']);
    const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
    run('git', [...author, 'commit', '--quiet', '--all', '--message', 'chore: set the repository']);
  }

  const { status, output, json } = publish();
  expect(status === 0, 'publishes', output);
  const files = publishedFiles(json);
  const packed = execFileSync('tar', ['tzf', packedFile()], { encoding: 'utf8' });
  const expected = packed
    .trim()
    .split('\n')
    .map((path) => path.replace('package/', ''));
  expect(
    files.toSorted().join('\n') === expected.toSorted().join('\n'),
    `publishes the ${expected.length} files that are checked`,
    files.join('\n'),
  );
  expect(changes() === '', 'leaves the clone as it was', changes());

  const sbom = run('npm', ['run', '--silent', 'sbom']);
  const { bomFormat, metadata, components } = JSON.parse(sbom);
  const names = components.map((/** @type {{ name: string }} */ { name }) => name);
  expect(
    bomFormat === 'CycloneDX' &&
      metadata.component.version === manifestOf().version &&
      Object.keys(manifestOf().dependencies).every((name) => names.includes(name)) &&
      !names.includes('vitest'),
    `lists the ${names.length} packages that users install with it`,
    sbom.slice(0, 2000),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function manifestOf() {
  return JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'));
}

/** What `git status` says. */
function changes() {
  return run('git', ['status', '--porcelain']);
}

function publish() {
  // What a workflow says of itself is not of the clone.
  const { GITHUB_REPOSITORY: _, GITHUB_REF_TYPE: __, GITHUB_REF_NAME: ___, ...env } = process.env;
  const options = { cwd: clone, env, encoding: /** @type {const} */ ('utf8'), maxBuffer: 1e8 };
  const { status, stdout, stderr } = spawnSync(
    'npm',
    // npm asks the registry in a dry run, too, whether the version is there; after a release it is.
    ['publish', '--dry-run', '--json', '--force', '--fetch-retries=0'],
    options,
  );
  return { status, json: stdout, output: `${stdout}${stderr}` };
}

/**
 * npm's answer follows what the scripts have printed.
 *
 * @param {string} json
 * @returns {string[]}
 */
function publishedFiles(json) {
  const answer = JSON.parse(json.slice(json.search(/^\{$/m)));
  const { files } = answer.files === undefined ? Object.values(answer)[0] : answer;
  return files.map((/** @type {{ path: string }} */ { path }) => path);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function run(command, args) {
  return execFileSync(command, args, { cwd: clone, encoding: 'utf8', maxBuffer: 1e8 });
}

/**
 * @param {boolean} holds
 * @param {string} what
 * @param {string} output
 */
function expect(holds, what, output) {
  console.log(`release: ${holds ? what : `does not do this: ${what}`}`);
  if (holds) return;
  console.error(output);
  throw new Error(what);
}
