import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ThornConfigurationError } from '../errors/index.js';

/** The ranges of package.json, of the packages whose versions decide what works. */
export const SUPPORTED: Readonly<Record<string, string>> = {
  '@nestjs/common': '^11.1.4 || ^12.0.1',
  '@nestjs/core': '^11.1.4 || ^12.0.1',
  '@nestjs/typeorm': '^11.0.0 || ^12.0.1',
  typeorm: '^0.3.28 || ^1.0.0',
};

/** The oldest Node.js of package.json, which `undici` and the current NestJS need. */
const OLDEST_NODE = [20, 19] as const;

/** @throws `ThornConfigurationError` THORN_VERSION_UNSUPPORTED on a Node.js that is too old: it would fail in a package below */
export function checkNode(version = process.versions.node): void {
  const [major = 0, minor = 0] = numbersOf(version);
  const [oldest, least] = OLDEST_NODE;
  if (major > oldest || (major === oldest && minor >= least)) return;
  throw new ThornConfigurationError(
    'THORN_VERSION_UNSUPPORTED',
    `nestjs-thorn needs Node.js 20.19, 22.13, 24.11 or newer, and this is ${version}. Install a newer one, such as the current ` +
      'LTS of https://nodejs.org, then run npm install again.',
    { package: 'node', version },
  );
}

/** The packages that TypeORM loads for a type of data source. */
const DRIVERS: Readonly<Record<string, string>> = {
  'better-sqlite3': 'better-sqlite3',
  postgres: 'pg',
  mysql: 'mysql2',
  mariadb: 'mysql2',
};

/** A package as its package.json describes it. */
interface Manifest {
  readonly version: string;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** For each package, a function that returns its path. */
type Paths = Readonly<Record<string, () => string>>;

/** Written out, so that bundlers see which packages are meant. */
const PATHS: Paths = {
  '@nestjs/common': () => require.resolve('@nestjs/common'),
  '@nestjs/core': () => require.resolve('@nestjs/core'),
  '@nestjs/typeorm': () => require.resolve('@nestjs/typeorm'),
  typeorm: () => require.resolve('typeorm'),
};

/** Names the packages that are outside of their supported ranges, in sentences for the log. */
export function unsupportedPackages(paths = PATHS): readonly string[] {
  return Object.entries(SUPPORTED).flatMap(([name, range]) =>
    faultsOf('Thorn', name, range, installed(paths[name]!)),
  );
}

/** The version that is installed; undefined where it cannot be read, as in a bundle. */
export function installedVersion(name: string): string | undefined {
  return installed(PATHS[name]!)?.version;
}

/**
 * Names the database drivers that are outside of the ranges of the installed TypeORM, in sentences for the log.
 *
 * @param types of the data sources
 */
export function unsupportedDrivers(types: readonly string[], paths = PATHS): readonly string[] {
  const typeorm = installed(paths['typeorm']!);
  const drivers = new Set(types.flatMap((type) => DRIVERS[type] ?? []));
  return [...drivers].flatMap((name) => {
    const driver = installed(() => createRequire(paths['typeorm']!()).resolve(name));
    return faultsOf(`TypeORM ${typeorm?.version}`, name, typeorm?.peerDependencies?.[name], driver);
  });
}

function faultsOf(
  user: string,
  name: string,
  range: string | undefined,
  { version }: Partial<Manifest> = {},
): readonly string[] {
  if (range === undefined || version === undefined || isWithin(version, range)) return [];
  return [
    `${user} supports ${name} ${range}, but ${version} is installed. Install a supported version.`,
  ];
}

/** Tells whether a version is within alternatives of the form `^1.2.3`; any other form fits. */
function isWithin(version: string, range: string): boolean {
  const found = numbersOf(version);
  return range.split('||').some((part) => {
    if (!/^\s*\^\d/.test(part)) return true;
    const lowest = numbersOf(part);
    // The first number that is not 0, and those before it, must be the same.
    const fixed = lowest.findIndex((one) => one > 0);
    const differing = lowest.findIndex((one, at) => one !== found[at]);
    return differing === -1 || (differing > fixed && found[differing]! > lowest[differing]!);
  });
}

function numbersOf(version: string): readonly number[] {
  return (version.match(/\d+/g) ?? []).slice(0, 3).map(Number);
}

/** Undefined where a package is not installed, which its own import reports, or where a bundler has joined all files. */
function installed(resolve: () => string): Manifest | undefined {
  try {
    return manifestAbove(resolve());
  } catch {
    return undefined;
  }
}

/** Reads the file: not every package exports its package.json. */
function manifestAbove(path: string): Manifest | undefined {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (!existsSync(file)) continue;
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
    // A folder of files may have one that says their module format alone.
    if (manifest.version !== undefined) return manifest;
  }
  return undefined;
}
