import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../lib/cli/main.js';
import {
  checkNode,
  SUPPORTED,
  unsupportedDrivers,
  unsupportedPackages,
} from '../../lib/common/supported-versions.js';
import { ThornModule } from '../../lib/index.js';

interface Manifest {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, unknown>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const { peerDependencies } = read('package.json');

describe('the versions that are supported', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'thorn-versions-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Installs packages of these versions; the paths that `require.resolve()` has for them. */
  function install(versions: Readonly<Record<string, string>>, peers = {}) {
    for (const [name, version] of Object.entries(versions)) {
      // An entry below the package, beside a package.json of its own, as many have.
      const main = join(folder, 'node_modules', name, 'dist/index.js');
      mkdirSync(dirname(main), { recursive: true });
      writeFileSync(main, '');
      writeFileSync(join(dirname(main), 'package.json'), '{"type":"commonjs"}');
      const manifest = { name, version, main: 'dist/index.js', peerDependencies: peers };
      writeFileSync(join(folder, 'node_modules', name, 'package.json'), JSON.stringify(manifest));
    }
    return Object.fromEntries(
      Object.keys(SUPPORTED).map((name) => [
        name,
        () => join(folder, 'node_modules', name, 'dist/index.js'),
      ]),
    );
  }

  it('are those of package.json', () => {
    expect(peerDependencies).toMatchObject(SUPPORTED);
  });

  it.each(Object.entries(SUPPORTED))(
    'begin with those that the tests run on: %s',
    (name, range) => {
      const [low, high] = range.split(' || ').map((part) => part.slice(1));

      expect(read('test/lowest/nest-11/package.json').devDependencies[name]).toBe(low);
      expect(read('test/lowest/nest-12/package.json').devDependencies[name]).toBe(high);
    },
  );

  it('are reported by nobody where they are installed, as they are here', () => {
    expect(unsupportedPackages()).toEqual([]);
    expect(
      unsupportedDrivers(['better-sqlite3', 'postgres', 'mariadb', 'mysql', 'mongodb']),
    ).toEqual([]);
  });

  it.each([
    ['@nestjs/core', '10.4.22'],
    ['@nestjs/core', '11.1.3'],
    ['@nestjs/common', '12.0.0'],
    ['@nestjs/common', '13.0.0'],
    ['@nestjs/typeorm', '10.0.2'],
    ['typeorm', '0.2.45'],
    ['typeorm', '0.3.27'],
    ['typeorm', '0.4.0'],
    ['typeorm', '2.0.0-beta.1'],
  ])('are named beside those that are not: %s %s', (name, version) => {
    expect(unsupportedPackages(install({ [name]: version }))).toEqual([
      `Thorn supports ${name} ${SUPPORTED[name]}, but ${version} is installed. Install a supported version.`,
    ]);
  });

  it.each([
    ['@nestjs/core', '11.1.4'],
    ['@nestjs/core', '11.2.0'],
    ['@nestjs/core', '12.0.1'],
    ['@nestjs/core', '12.13.0'],
    ['typeorm', '0.3.28'],
    ['typeorm', '0.3.31'],
    ['typeorm', '1.2.0-nightly.20261101'],
  ])('hold %s %s', (name, version) => {
    expect(unsupportedPackages(install({ [name]: version }))).toEqual([]);
  });

  it('are those of TypeORM for database drivers', () => {
    const peers = { pg: '^8.5.1', mysql2: '^2.2.5 || ^3.0.1', 'better-sqlite3': '^12.0.0' };
    const paths = install(
      { typeorm: '1.1.1', pg: '8.5.0', mysql2: '3.0.1', 'better-sqlite3': '11.9.0' },
      peers,
    );

    expect(unsupportedDrivers(['mysql'], paths)).toEqual([]);
    expect(unsupportedDrivers(['postgres', 'postgres', 'better-sqlite3'], paths)).toEqual([
      'TypeORM 1.1.1 supports pg ^8.5.1, but 8.5.0 is installed. Install a supported version.',
      'TypeORM 1.1.1 supports better-sqlite3 ^12.0.0, but 11.9.0 is installed. Install a supported version.',
    ]);
  });
});

describe('an old Node.js', () => {
  const versions = Object.getOwnPropertyDescriptor(process, 'versions')!;
  const run = (node: string) => {
    const value = { ...process.versions, node };
    Object.defineProperty(process, 'versions', { ...versions, value });
  };
  afterEach(() => Object.defineProperty(process, 'versions', versions));

  it('is refused by the module, with what to install', () => {
    run('18.20.8');
    expect(() => ThornModule.forRoot()).toThrow(
      'nestjs-thorn needs Node.js 20.19, 22.13, 24.11 or newer, and this is 18.20.8. Install a newer one',
    );
    run('20.20.2');
    expect(() => ThornModule.forRoot()).not.toThrow();
  });

  it('is refused by the command', async () => {
    run('18.20.8');
    const notes: string[] = [];
    const code = await main(['--version'], {
      out: () => undefined,
      bytes: () => undefined,
      note: (line) => void notes.push(line),
      hasColours: false,
      env: {},
      read: async () => Buffer.alloc(0),
      interrupted: new AbortController().signal,
    });
    expect([code, notes.join()]).toEqual([2, expect.stringContaining('this is 18.20.8')]);
  });

  it.each([
    ['16.20.2', false],
    ['20.18.3', false],
    ['20.19.0', true],
    ['22.13.0', true],
    ['26.1.0', true],
  ])('is one before 20.19: %s is new enough: %s', (version, isNew) => {
    const check = () => checkNode(version);
    if (isNew) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: 'THORN_VERSION_UNSUPPORTED' }));
  });
});

describe('every peer', () => {
  // Beside Prisma, SQLite is opened by the driver of
  // its adapter, whichever version that needs. A table of Drizzle is one of the application's; test/clients/drizzle has both majors.
  const ofApplication = new Set(['better-sqlite3', 'drizzle-orm']);
  const peers = Object.entries(peerDependencies).filter(([name]) => !ofApplication.has(name));

  it.each(peers)('is tested at the lowest versions of its range: %s %s', (name, range) => {
    const parts = range.split(' || ').map((part) => part.replace(/^\^/, ''));

    for (const [workspace, version] of [
      ['test/lowest/nest-11', parts[0]],
      ['test/lowest/nest-12', parts.at(-1)],
    ] as const) {
      const { devDependencies } = read(`${workspace}/package.json`);
      // Where the lowest version is the newest as well, the root has it.
      expect(devDependencies[name] ?? inRoot(name)).toBe(version);
    }
  });
});

function inRoot(name: string): string {
  return read(`node_modules/${name}/package.json`).version;
}

function read(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}
