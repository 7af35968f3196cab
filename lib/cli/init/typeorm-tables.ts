import { posix } from 'node:path';
import type ts from 'typescript';
import { UsageError } from '../commands/terminal.js';
import type { SourceText } from './application-classes.js';
import { addedImport, appendedTo, edited, parsed, type TypeScript } from './source-edits.js';

const NAMES = ['entities', 'autoLoadEntities', 'migrations', 'synchronize'] as const;
type Name = (typeof NAMES)[number];

/** What an application adds to the options of TypeORM, by the option. */
const ADDED = { entities: 'thornEntities', migrations: 'thornMigrations' } as const;
type Added = keyof typeof ADDED;

/** As `thorn migrations` calls the databases of TypeORM's drivers. */
const SYSTEMS: Readonly<Record<string, string>> = {
  postgres: 'postgres',
  mysql: 'mariadb',
  mariadb: 'mariadb',
  'better-sqlite3': 'sqlite',
};

/** Options of a data source, as a file writes them. */
interface Options {
  readonly path: string;
  /** The text of `type`. */
  readonly type: string | undefined;
  /** The texts of the options' values. */
  readonly given: Readonly<Partial<Record<Name, string>>>;
  /** True: the options are the argument of `new DataSource()`, as the command `typeorm` needs them. */
  readonly isOfNewDataSource: boolean;
}

/** How Thorn's tables come into the database of TypeORM's data source. */
export interface TypeOrmTables {
  /** What to add, by the path of the file. */
  readonly edits: ReadonlyMap<string, ReadonlySet<Added>>;
  /** The database that needs a migration by hand, as `thorn migrations` calls it; undefined where nothing is left to do. */
  readonly byHand: string | undefined;
}

/**
 * Finds what the options of TypeORM lack of Thorn's entities and migrations.
 *
 * @param root the folder that the paths of the sources begin at
 * @returns undefined for an application without `TypeOrmModule`
 * @throws {@link UsageError} with the text to add, where the options are written in another way than as a list
 */
export function typeOrmTables(
  compiler: TypeScript,
  root: string,
  sources: readonly SourceText[],
): TypeOrmTables | undefined {
  if (!sources.some(({ text }) => text.includes('TypeOrmModule.'))) return undefined;
  const files = sources.filter(({ text }) => /['"](?:@nestjs\/)?typeorm['"]/.test(text));
  const all = files.flatMap((file) => optionsIn(compiler, file));
  const edits = new Map<string, ReadonlySet<Added>>();
  const add = ({ path, given }: Options, name: Added): void => {
    if (!given[name]!.startsWith('[')) {
      throw unknown(name, `${posix.join(root, path)} has ${name} that are not a list`);
    }
    edits.set(path, new Set([...(edits.get(path) ?? []), name]));
  };
  const isNamed = (name: Added): boolean => files.some(({ text }) => text.includes(ADDED[name]));

  const areLoaded = all.some(({ given }) => (given.autoLoadEntities ?? 'false') !== 'false');
  if (!areLoaded && !isNamed('entities')) {
    const [one, other] = all.filter(
      ({ given, isOfNewDataSource }) => !isOfNewDataSource && given.entities,
    );
    if (one === undefined)
      throw unknown('entities', 'no options of TypeORM with entities are there');
    if (other !== undefined)
      throw unknown(
        'entities',
        `${[one, other].map(({ path }) => posix.join(root, path)).join(' and ')} have entities`,
      );
    add(one, 'entities');
  }
  const isSynchronized = all.some(({ given }) => given.synchronize === 'true');
  const migrated = all.filter(({ given }) => given.migrations !== undefined);
  if (isSynchronized || isNamed('migrations')) return { edits, byHand: undefined };
  for (const one of migrated) add(one, 'migrations');
  const type = all.find((one) => one.type !== undefined)?.type?.slice(1, -1) ?? '';
  return { edits, byHand: migrated.length > 0 ? undefined : (SYSTEMS[type] ?? 'postgres') };
}

/** @throws {@link NotUnderstood} when the file has another form than expected */
export function addThornTables(
  compiler: TypeScript,
  file: string,
  text: string,
  added: ReadonlySet<Added>,
): string {
  const source = parsed(compiler, file, text);
  const names = [...added];
  const lists = objectsIn(compiler, source).flatMap((object) =>
    names.flatMap((name) => {
      const value = valuesOf(compiler, object).get(name);
      if (value === undefined || !compiler.isArrayLiteralExpression(value)) return [];
      const isLeftOut = name === 'entities' && isOfNewDataSource(compiler, object);
      return isLeftOut ? [] : [appendedTo(value, source, `...${ADDED[name]}`)];
    }),
  );
  const imported = names.map((name) => ADDED[name]).join(', ');
  return edited(text, [addedImport(compiler, source, imported, 'nestjs-thorn/typeorm'), ...lists]);
}

function optionsIn(compiler: TypeScript, { path, text }: SourceText): readonly Options[] {
  const source = compiler.createSourceFile(path, text, compiler.ScriptTarget.Latest, true);
  return objectsIn(compiler, source).map((object) => {
    const values = valuesOf(compiler, object);
    const textOf = (name: string) => values.get(name)?.getText(source);
    const given = NAMES.flatMap((name) => (values.has(name) ? [[name, textOf(name)]] : []));
    return {
      ...{ path, type: textOf('type'), given: Object.fromEntries(given) as Options['given'] },
      isOfNewDataSource: isOfNewDataSource(compiler, object),
    };
  });
}

/** The objects of a file that are options of TypeORM. */
function objectsIn(
  compiler: TypeScript,
  source: ts.SourceFile,
): readonly ts.ObjectLiteralExpression[] {
  const found: ts.ObjectLiteralExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (compiler.isObjectLiteralExpression(node)) {
      const values = valuesOf(compiler, node);
      // Else it may be anything that has entities.
      const isOptions = values.has('type') || isArgument(compiler, node);
      if (isOptions && NAMES.some((name) => values.has(name))) found.push(node);
    }
    compiler.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function valuesOf(
  compiler: TypeScript,
  { properties }: ts.ObjectLiteralExpression,
): ReadonlyMap<string, ts.Expression> {
  return new Map(
    properties.flatMap((property) => {
      if (compiler.isShorthandPropertyAssignment(property)) {
        return [[property.name.text, property.name]];
      }
      return compiler.isPropertyAssignment(property)
        ? [[property.name.getText(), property.initializer]]
        : [];
    }),
  );
}

function isArgument(compiler: TypeScript, object: ts.ObjectLiteralExpression): boolean {
  const { parent } = object;
  const isOfModule =
    compiler.isCallExpression(parent) && parent.expression.getText() === 'TypeOrmModule.forRoot';
  return isOfModule || isOfNewDataSource(compiler, object);
}

/** Tells whether an object is the argument of `new DataSource()`. */
function isOfNewDataSource(compiler: TypeScript, { parent }: ts.ObjectLiteralExpression): boolean {
  return compiler.isNewExpression(parent) && parent.expression.getText() === 'DataSource';
}

function unknown(name: Added, why: string): UsageError {
  const loading = name === 'entities' ? 'autoLoadEntities: true, or ' : '';
  return new UsageError(
    `nothing was changed: ${why}. Write ${loading}...${ADDED[name]} at the end of \`${name}\` in the options of ` +
      `TypeOrmModule, with \`import { ${ADDED[name]} } from 'nestjs-thorn/typeorm'\`; then run thorn init again`,
  );
}
