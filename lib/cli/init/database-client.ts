import { join } from 'node:path';
import { type Given, parseWord } from '../terminal/command.js';
import type { Terminal } from '../terminal/terminal.js';
import { UsageError } from '../terminal/usage.error.js';
import type { ApplicationClasses, SourceText } from './application-classes.js';
import { readText } from './file-changes.js';

/** Clients that `thorn init` names in the option `database`, and the packages that tell of them. */
const PACKAGES = { prisma: '@prisma/client', drizzle: 'drizzle-orm' } as const;
type Client = keyof typeof PACKAGES;
export const CLIENT_NAMES = ['prisma', 'drizzle', 'typeorm'] as const;

interface Exported {
  readonly name: string;
  /** Relative to the folder of the sources, with `/`. */
  readonly path: string;
}

/** The client of the application's database, as the module names it. */
export interface DatabaseClient {
  readonly client: Client;
  /** What makes the value of the option `database`. */
  readonly maker: 'fromPrisma' | 'fromDrizzle';
  readonly expression: string;
  /** What the expression names, and the module that exports it unless it is global. */
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
  if (given['entity'] !== undefined) {
    throw new UsageError(
      `--entity is for TypeORM: with ${client} leave it out, and send events with dispatcher.send()`,
    );
  }
  return client === 'prisma' ? prisma(classes) : drizzle(classes);
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

function prisma(classes: ApplicationClasses): DatabaseClient {
  const pattern = /\bexport\s+class\s+(\w+)\s[^{]*\bextends\s+PrismaClient\b/;
  const [service, other] = classes.sources.flatMap(({ path, text }) => {
    const [, name] = pattern.exec(text) ?? [];
    return name === undefined ? [] : [{ name, path }];
  });
  if (service === undefined || other !== undefined) {
    throw new UsageError(
      `nothing was changed: ${other === undefined ? 'no exported class extends' : 'several classes extend'} PrismaClient. ` +
        'Write one service, and a module that exports it; docs/tutorial/prisma.md shows both.',
    );
  }
  return {
    client: 'prisma',
    maker: 'fromPrisma',
    expression: `fromPrisma(${service.name}, { url: process.env.DATABASE_URL, schema: 'thorn' })`,
    ...withModule(service, classes),
  };
}

function drizzle(classes: ApplicationClasses): DatabaseClient {
  const [token, other] = classes.sources.filter(opensDrizzle).flatMap(providedIn);
  if (token === undefined || other !== undefined) {
    throw new UsageError(
      `nothing was changed: ${other === undefined ? 'no exported token provides' : 'several tokens provide'} what drizzle() ` +
        'returns. Write one provider, and a module that exports it; docs/tutorial/drizzle.md shows both.',
    );
  }
  return {
    client: 'drizzle',
    maker: 'fromDrizzle',
    expression: `fromDrizzle(${token.name}, { schema: 'thorn' })`,
    ...withModule(token, classes),
  };
}

function opensDrizzle({ text }: SourceText): boolean {
  return /['"]drizzle-orm\//.test(text) && /\bdrizzle\(/.test(text);
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
