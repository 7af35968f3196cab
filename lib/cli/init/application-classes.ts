import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type ts from 'typescript';
import { UsageError } from '../commands/terminal.js';
import type { TypeScript } from './source-edits.js';

export interface ApplicationClass {
  readonly name: string;
  /** Relative to the folder of the sources, with `/`. */
  readonly path: string;
  readonly text: string;
  /** The properties that have a decorator, such as columns. */
  readonly properties: readonly string[];
  /** Those that hold one row of another entity. */
  readonly relations: readonly string[];
  /** Those with `@PrimaryColumn` or `@PrimaryGeneratedColumn`. */
  readonly keys: readonly string[];
  readonly isInjecting: boolean;
}

export interface SourceText {
  /** Relative to the folder of the sources, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** The classes of an application that `thorn init` asks about. */
export class ApplicationClasses {
  private constructor(
    readonly entities: readonly ApplicationClass[],
    readonly guards: readonly ApplicationClass[],
    /** Read for the guards, and for the database client that a module provides. */
    readonly modules: readonly ApplicationClass[],
    readonly sources: readonly SourceText[],
  ) {}

  /** Reads every source file, tests left out. */
  static async read(compiler: TypeScript, folder: string): Promise<ApplicationClasses> {
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    const paths = names
      .map((name) => name.replaceAll('\\', '/'))
      .filter(isSource)
      .toSorted();
    const entities: ApplicationClass[] = [];
    const guards: ApplicationClass[] = [];
    const modules: ApplicationClass[] = [];
    const sources: SourceText[] = [];
    for (const path of paths) {
      const text = await readFile(join(folder, path), 'utf8');
      sources.push({ path, text });
      const source = compiler.createSourceFile(path, text, compiler.ScriptTarget.Latest, true);
      for (const declared of source.statements.filter((one) => compiler.isClassDeclaration(one))) {
        const isExported = declared.modifiers?.some(
          ({ kind }) => kind === compiler.SyntaxKind.ExportKeyword,
        );
        if (declared.name === undefined || isExported !== true) continue;
        const found = described(compiler, declared, { name: declared.name.text, path, text });
        const decorators = decoratorsOf(compiler, declared);
        if (decorators.includes('Entity') || decorators.includes('ChildEntity')) {
          entities.push(found);
        } else if (decorators.includes('Module')) modules.push(found);
        else if (isGuard(declared)) guards.push(found);
      }
    }
    return new ApplicationClasses(entities, guards, modules, sources);
  }

  /** The same with tables in place of entities. */
  withTables(tables: readonly ApplicationClass[]): ApplicationClasses {
    return new ApplicationClasses(tables, this.guards, this.modules, this.sources);
  }

  /** @throws {@link UsageError} naming the classes that there are */
  find(kind: 'entity' | 'guard', name: string): ApplicationClass {
    const all = kind === 'entity' ? this.entities : this.guards;
    const found = all.filter((one) => one.name === name);
    if (found.length === 1) return found[0]!;
    const known = all.map((one) => one.name).join(', ') || 'none';
    const why = found.length > 1 ? `${found.length} classes have that name` : `there are: ${known}`;
    throw new UsageError(`--${kind} ${name} is not an exported ${kind} of the application; ${why}`);
  }

  /** The module beside a guard that injects something: it is taken to export what the guard needs. */
  moduleOf(guard: ApplicationClass): ApplicationClass | undefined {
    if (!guard.isInjecting) return undefined;
    const beside = this.modules.filter(
      ({ name, path }) => name !== 'AppModule' && folderOf(path) === folderOf(guard.path),
    );
    return beside.length === 1 ? beside[0] : undefined;
  }
}

/** A file of TypeScript that is no test. */
export function isSource(name: string): boolean {
  return /(?<!\.spec|\.test|\.d)\.ts$/.test(name);
}

function folderOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}

function described(
  compiler: TypeScript,
  declared: ts.ClassDeclaration,
  known: Pick<ApplicationClass, 'name' | 'path' | 'text'>,
): ApplicationClass {
  const members = declared.members.filter((member) => compiler.isPropertyDeclaration(member));
  const columns = members.map((member) => ({
    name: member.name.getText(),
    decorators: decoratorsOf(compiler, member),
  }));
  const namesWith = (pattern: RegExp): readonly string[] =>
    columns
      .filter(({ decorators }) => decorators.some((one) => pattern.test(one)))
      .map(({ name }) => name);
  const constructed = declared.members.find((member) => compiler.isConstructorDeclaration(member));
  return {
    ...known,
    properties: namesWith(/./),
    relations: namesWith(/^(?:ManyToOne|OneToOne)$/),
    keys: namesWith(/^Primary/),
    // A guard of Passport needs the strategy of its module.
    isInjecting:
      (constructed?.parameters.length ?? 0) > 0 || /extends AuthGuard\(/.test(declared.getText()),
  };
}

function decoratorsOf(compiler: TypeScript, node: ts.HasDecorators): readonly string[] {
  return (compiler.getDecorators(node) ?? [])
    .map(({ expression }) =>
      compiler.isCallExpression(expression) ? expression.expression : expression,
    )
    .map((name) => name.getText());
}

function isGuard(declared: ts.ClassDeclaration): boolean {
  const heritage = (declared.heritageClauses ?? []).map((clause) => clause.getText()).join(' ');
  return /\bCanActivate\b|Guard\b/.test(heritage);
}
