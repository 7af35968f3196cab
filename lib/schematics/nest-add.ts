import { createRequire } from 'node:module';
import { join, posix } from 'node:path';
import { CLIENTS, type DatabaseClient, type DatabaseSystem, systemOf } from './database-clients.js';
import { type Imported, webhooksModule } from './webhooks-module.js';

const CLASS = 'WebhooksModule';

/** The files of an application, as far as this schematic needs the `Tree` of `@angular-devkit/schematics`. */
interface Tree {
  exists(path: string): boolean;
  readText(path: string): string;
  create(path: string, text: string): void;
  overwrite(path: string, text: string): void;
  getDir(path: string): { visit(each: (path: string) => void): void };
}

interface Context {
  readonly logger: { info(text: string): void; warn(text: string): void };
}

/** What `@nestjs/schematics` has for schematics of others. */
interface NestSchematics {
  readonly ModuleFinder: new (tree: Tree) => {
    find(options: { readonly path: string }): string | null;
  };
  readonly ModuleDeclarator: new () => {
    declare(
      content: string,
      options: Readonly<Record<'metadata' | 'name' | 'type' | 'path' | 'module', string>> & {
        readonly isEsm: boolean;
      },
    ): string;
  };
}

/**
 * The schematic of `nest add nestjs-thorn`: makes a module for the database client of the application, adds it to the
 * root module, and prints what to do next. What it does not find it leaves to the user, and says so.
 */
export function nestAdd({ sourceRoot = 'src' }: { readonly sourceRoot?: string } = {}) {
  return (tree: Tree, { logger }: Context): void => {
    const path = `/${sourceRoot}/webhooks/webhooks.module.ts`;
    if (tree.exists(path)) {
      logger.warn(`Nothing was changed: ${path.slice(1)} exists already.`);
      return;
    }
    const { type, packages } = readManifest(tree);
    const isEsm = type === 'module';
    const client = CLIENTS.find((one) => packages.has(one.package));
    const system = systemOf(packages);
    const found = findSource(tree, sourceRoot, client, isEsm);
    const needsUrl = needsUrlOf(client, system, packages);
    tree.create(path, webhooksModule({ client, system, found, needsUrl }));
    const source = found === undefined ? client?.source : undefined;
    if (source !== undefined) {
      logger.warn(
        `No file below ${sourceRoot} has "${source.declaration}" and "class ${source.module}", so Thorn does not know your ` +
          `client. Name it in ${path.slice(1)}, and add ${CLASS} to the imports of your root module.`,
      );
    } else addToRoot(tree, sourceRoot, isEsm, logger);
    logger.info(nextSteps(client, system));
  };
}

interface Manifest {
  readonly type: unknown;
  readonly packages: ReadonlySet<string>;
}

function readManifest(tree: Tree): Manifest {
  const { type, dependencies = {} } = JSON.parse(tree.readText('/package.json')) as {
    readonly type?: unknown;
    readonly dependencies?: object;
  };
  return { type, packages: new Set(Object.keys(dependencies)) };
}

function needsUrlOf(
  client: DatabaseClient | undefined,
  system: DatabaseSystem,
  packages: ReadonlySet<string>,
): boolean {
  if (client?.tool === 'drizzle') return system === 'postgres' && !packages.has('pg');
  if (client?.source?.needsUrl !== true) return false;
  // On SQLite the client shows its connection, unless it is Prisma.
  return system !== 'sqlite' || client.tool === 'prisma';
}

/** Finds the provider of the client and its module by the names that the recipes of Nest and the guides give them. */
function findSource(
  tree: Tree,
  sourceRoot: string,
  client: DatabaseClient | undefined,
  isEsm: boolean,
): readonly [Imported, Imported] | undefined {
  if (client?.source === undefined) return undefined;
  const { provider, declaration, module } = client.source;
  const found = new Map<string, Imported>();
  const directory = `/${sourceRoot}/webhooks`;
  tree.getDir(`/${sourceRoot}`).visit((path) => {
    if (!path.endsWith('.ts') || path.endsWith('.d.ts')) return;
    const text = tree.readText(path);
    const from = `${posix.relative(directory, path.slice(0, -'.ts'.length))}${isEsm ? '.js' : ''}`;
    for (const [name, line] of [
      [provider, `${declaration} `],
      [module, `export class ${module} `],
    ] as const) {
      if (text.includes(line)) found.set(name, { name, from });
    }
  });
  const [of, by] = [found.get(provider), found.get(module)];
  return of === undefined || by === undefined ? undefined : [of, by];
}

/** Adds the module to the imports of the root module, or says what to add. */
function addToRoot(
  tree: Tree,
  sourceRoot: string,
  isEsm: boolean,
  logger: Context['logger'],
): void {
  const { ModuleFinder, ModuleDeclarator } = loadNestSchematics();
  const usual = `/${sourceRoot}/app.module.ts`;
  const root = tree.exists(usual) ? usual : new ModuleFinder(tree).find({ path: `/${sourceRoot}` });
  const isAdded = root !== null && declareIn(root);
  if (!isAdded) {
    const file = `${sourceRoot}/webhooks/webhooks.module.ts`;
    logger.warn(
      `Add ${CLASS} of ${file} to the imports of ${root?.slice(1) ?? 'your root module'}.`,
    );
  }

  function declareIn(module: string): boolean {
    const before = tree.readText(module);
    const after = new ModuleDeclarator().declare(before, {
      ...{ metadata: 'imports', name: 'webhooks', type: 'module', isEsm },
      ...{ path: `/${sourceRoot}/webhooks`, module },
    });
    // The class has to be in the list, beside its import.
    if (after.split(CLASS).length - before.split(CLASS).length < 2) return false;
    tree.overwrite(module, after);
    return true;
  }
}

/** The package belongs to the application, as `nest new` makes it. */
function loadNestSchematics(): NestSchematics {
  try {
    return createRequire(join(process.cwd(), 'package.json'))(
      '@nestjs/schematics',
    ) as NestSchematics;
  } catch (error) {
    throw new Error('Install @nestjs/schematics, which `nest new` brings along, and try again.', {
      cause: error,
    });
  }
}

function nextSteps(client: DatabaseClient | undefined, system: DatabaseSystem): string {
  const listen = 'npx thorn listen';
  if (client === undefined) return `Next:\n  ${listen}\n  npm run start:dev, in another terminal`;
  const guide = 'node_modules/nestjs-thorn/docs/migrations.md';
  if (client.source === undefined) {
    return (
      'Unless the options of TypeORM have autoLoadEntities and synchronize, add ...thornEntities and ...thornMigrations of ' +
      `nestjs-thorn/typeorm to them: see ${guide}. Next:\n  ${listen}\n  npm run start:dev, in another terminal`
    );
  }
  const tool = client.tool === undefined ? '' : ` --for ${client.tool}`;
  const schema = system === 'postgres' && client.tool !== undefined ? ' --schema thorn' : '';
  return (
    `Make the tables by a migration, as ${guide} says. Next:\n` +
    `  npx thorn migrations ${system}${tool}${schema} > thorn.sql\n  ${listen}`
  );
}
