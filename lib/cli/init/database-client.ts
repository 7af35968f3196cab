import { join } from 'node:path';
import { type Given, parseWord } from '../commands/command.js';
import { type Terminal, UsageError } from '../commands/terminal.js';
import type { ApplicationClasses, SourceText } from './application-classes.js';
import { readText } from './file-changes.js';

/** The clients that `thorn init` can write into the option `database`, and the package by which each is recognised. */
const PACKAGES = { prisma: '@prisma/client', drizzle: 'drizzle-orm' } as const;
type Client = keyof typeof PACKAGES;
export const CLIENT_NAMES = ['prisma', 'drizzle', 'typeorm'] as const;

type System = 'postgres' | 'mariadb' | 'sqlite';

/** The database for each provider of Prisma's `datasource`. */
const PROVIDERS: Readonly<Record<string, System>> = { mysql: 'mariadb', sqlite: 'sqlite' };
/** The database for each end of the import path of Drizzle's driver. */
const DRIVERS: Readonly<Record<string, System>> = { mysql2: 'mariadb', 'better-sqlite3': 'sqlite' };

interface Exported {
  readonly name: string;
  /** Relative to the folder of the sources, with `/`. */
  readonly path: string;
}

/** The client of the application's database, as the module names it. */
export interface DatabaseClient {
  readonly client: Client;
  /** The name of the database for `thorn migrations`. */
  readonly system: System;
  /** The function that makes the value of the option `database`. */
  readonly maker: 'fromPrisma' | 'fromDrizzle';
  readonly expression: string;
  /** The class or the token of the client. */
  readonly provided: Exported;
  /** The end of the import of Drizzle's driver. */
  readonly driver: string | undefined;
  /** The names in the expression, and the module that exports each of them unless it is global. */
  readonly imports: readonly Exported[];
  /** The module, unless it is global. */
  readonly module: string | undefined;
}

/** @returns undefined for TypeORM, and where no client is known */
export async function databaseClient(
  folder: string,
  classes: ApplicationClasses,
  given: Given,
  terminal: Terminal,
): Promise<DatabaseClient | undefined> {
  const client = parseWord(given, 'client', CLIENT_NAMES) ?? (await found(folder, given, terminal));
  if (client === undefined || client === 'typeorm') return undefined;
  return client === 'prisma' ? prisma(classes, await prismaSystem(folder)) : drizzle(classes);
}

async function found(
  folder: string,
  given: Given,
  terminal: Terminal,
): Promise<(typeof CLIENT_NAMES)[number] | undefined> {
  const text = await readText(join(folder, 'package.json'));
  const { dependencies = {} } = JSON.parse(text ?? '{}') as { dependencies?: object };
  if ('typeorm' in dependencies) return undefined;
  const names = (['prisma', 'drizzle'] as const).filter((name) => PACKAGES[name] in dependencies);
  const [first] = names;
  if (first === undefined) return undefined;
  if (given['yes'] !== true) {
    const question = `The database client (${names.join(', ')}) [${first}]: `;
    const answer = (await terminal.ask(question)).trim();
    return answer === '' ? first : parseWord({ client: answer }, 'client', CLIENT_NAMES);
  }
  if (names.length === 1) return first;
  throw new UsageError(`package.json has ${names.join(' and ')}: name one of them by --client`);
}

/** The database that the schema names, if the schema is one file in its usual place; else PostgreSQL. */
async function prismaSystem(folder: string): Promise<System> {
  const text = await readText(join(folder, 'prisma', 'schema.prisma'));
  const [, provider] = /\bdatasource\b[^}]*\bprovider\s*=\s*"(\w+)"/.exec(text ?? '') ?? [];
  return PROVIDERS[provider ?? ''] ?? 'postgres';
}

function prisma(classes: ApplicationClasses, system: System): DatabaseClient {
  const pattern = /\bexport\s+class\s+(\w+)\s[^{]*\bextends\s+PrismaClient\b/;
  const [service, other] = classes.sources.flatMap(({ path, text }) => {
    const [, name] = pattern.exec(text) ?? [];
    return name === undefined ? [] : [{ name, path }];
  });
  if (service === undefined || other !== undefined) {
    throw new UsageError(
      `nothing was changed: ${other === undefined ? 'no exported class extends' : 'several classes extend'} PrismaClient. ` +
        `Write one service, and a module that exports it; ${packedGuide('tutorial/prisma')} shows both.`,
    );
  }
  return {
    ...{ client: 'prisma', system, maker: 'fromPrisma' },
    expression: `fromPrisma(${service.name}, ${optionsOf(system, true)})`,
    ...{ provided: service, driver: undefined },
    ...withModule(service, classes),
  };
}

function drizzle(classes: ApplicationClasses): DatabaseClient {
  const [token, other] = classes.sources.filter(opensDrizzle).flatMap(providedIn);
  if (token === undefined || other !== undefined) {
    throw new UsageError(
      `nothing was changed: ${other === undefined ? 'no exported token provides' : 'several tokens provide'} what drizzle() ` +
        `returns. Write one provider, and a module that exports it; ${packedGuide('tutorial/drizzle')} shows both.`,
    );
  }
  const { text } = classes.sources.find(({ path }) => path === token.path)!;
  const driver = driverOf(text);
  const system = DRIVERS[driver] ?? 'postgres';
  const options = optionsOf(system, system === 'postgres' && driver !== 'node-postgres');
  return {
    ...{ client: 'drizzle', system, maker: 'fromDrizzle' },
    expression: `fromDrizzle(${[token.name, ...(options === '' ? [] : [options])].join(', ')})`,
    ...{ provided: token, driver },
    ...withModule(token, classes),
  };
}

function opensDrizzle({ text }: SourceText): boolean {
  return driverOf(text) !== '' && /\bdrizzle\(/.test(text);
}

/** The driver that a file imports `drizzle()` for; empty for none. */
function driverOf(text: string): string {
  const [, driver = ''] = /\bdrizzle\b[^;'"]*['"]drizzle-orm\/([\w-]+)['"]/.exec(text) ?? [];
  return driver;
}

/** The options of a client as source text; empty for none. @param needsUrl the client shows no pool that Thorn can use */
function optionsOf(system: System, needsUrl: boolean): string {
  const options = [
    ...(needsUrl ? ['url: process.env.DATABASE_URL'] : []),
    ...(system === 'postgres' ? ["schema: 'thorn'"] : []),
  ];
  return options.length === 0 ? '' : `{ ${options.join(', ')} }`;
}

/** Exported tokens that a file has a provider for. */
function providedIn({ path, text }: SourceText): readonly Exported[] {
  const names = [...text.matchAll(/\bprovide:\s*([A-Za-z_$][\w$]*)/g)].map(([, name]) => name!);
  return names
    .filter((name) => new RegExp(`\\bexport\\s+const\\s+${name}\\b`).test(text))
    .map((name) => ({ name, path }));
}

/** @throws {@link UsageError} where nothing exports it to other modules */
function withModule(
  { name, path }: Exported,
  { modules }: ApplicationClasses,
): Pick<DatabaseClient, 'imports' | 'module'> {
  const module = modules.find(({ text }) =>
    new RegExp(`\\bexports:\\s*\\[[^\\]]*\\b${name}\\b`).test(text),
  );
  if (module === undefined) {
    throw new UsageError(
      `nothing was changed: no module exports ${name}, so Thorn cannot inject it. Write exports: [${name}] in the module ` +
        'that provides it.',
    );
  }
  const isGlobal = /@Global\(\)/.test(module.text);
  return isGlobal
    ? { imports: [{ name, path }], module: undefined }
    : { imports: [{ name, path }, module], module: module.name };
}

/** The path of a guide from the application's own folder. The package contains the guides that messages name. */
export function packedGuide(name: 'migrations' | 'tutorial/prisma' | 'tutorial/drizzle'): string {
  return `node_modules/nestjs-thorn/docs/${name}.md`;
}
