import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { type Block, guideOf } from './blocks.js';

/** Where names come from that a block uses and does not import: it shows what matters, not the top of the file. */
const KNOWN: Readonly<Record<string, string>> = {
  'nestjs-thorn': 'lib/index.ts',
  'nestjs-thorn/extending': 'lib/extending/index.ts',
  'nestjs-thorn/typeorm': 'lib/typeorm/index.ts',
  'nestjs-thorn/bullmq': 'lib/bullmq/index.ts',
  'nestjs-thorn/microservices': 'lib/microservices/index.ts',
  'nestjs-thorn/testing': 'lib/testing/index.ts',
  'nestjs-thorn/receiver': 'lib/receiver/index.ts',
  'nestjs-thorn/openapi': 'lib/openapi/index.ts',
  'nestjs-thorn/opentelemetry': 'lib/tracing/index.ts',
  'nestjs-thorn/prometheus': 'lib/metrics/index.ts',
  'nestjs-thorn/terminus': 'lib/terminus/index.ts',
  'nestjs-thorn/sql': 'lib/sql/index.ts',
  'nestjs-thorn/page': 'lib/page/index.ts',
  'nestjs-thorn/mcp': 'lib/mcp/index.ts',
  '@nestjs-cls/transactional-adapter-prisma': 'test/guides/cls-prisma-types.ts',
  '@nestjs-modules/mailer': 'test/guides/mailer-types.ts',
  '@nestjs/passport': 'test/guides/passport-types.ts',
  'passport-jwt': 'test/guides/passport-types.ts',
  passport: 'test/guides/passport-types.ts',
  'express-session': 'test/guides/passport-types.ts',
  '@nestjs/common': '@nestjs/common',
  '@nestjs/core': '@nestjs/core',
  '@nestjs/typeorm': '@nestjs/typeorm',
  '@nestjs/testing': '@nestjs/testing',
  typeorm: 'typeorm',
  vitest: 'vitest',
};
const CANNOT_FIND_NAME = new Set([2304, 2552, 2582, 2593, 2503, 18004]);
const FOLDER = resolve('.cache/docs');
const KNOWN_FILE = join(FOLDER, 'known.ts');
const CONFIGURATION = join(FOLDER, 'tsconfig.json');
const CONTEXT = resolve('test/guides/context.ts');

/** The mistakes of each block, by its place; every block is a module of its own. */
export function mistakesOf(blocks: readonly Block[]): ReadonlyMap<string, readonly string[]> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const files = blocks.map(
    (block, index) => new BlockFile(block, join(FOLDER, `block-${index}.ts`)),
  );
  writeFileSync(CONFIGURATION, configuration());
  writeFileSync(
    KNOWN_FILE,
    Object.keys(KNOWN)
      .map((name) => `import '${name}';\n`)
      .join(''),
  );
  for (const [index, file] of files.entries()) file.write([], siblings(files, index));
  const first = programOf(files);
  const offers = new Map<string, string>();
  for (const [module, path] of Object.entries(KNOWN)) {
    for (const name of exportsOf(first, path)) if (!offers.has(name)) offers.set(name, module);
  }
  // Over the AuthGuard of Passport.
  for (const name of exportsOf(first, CONTEXT)) offers.set(name, CONTEXT);
  for (const [index, file] of files.entries()) {
    const near = siblings(files, index);
    file.write(
      missingNames(first, file.path).map((name) => importOf(name, near, offers)),
      near,
    );
  }
  const second = programOf(files, first);
  return new Map(files.map((file) => [file.block.place, mistakes(second, file.path)]));
}

/** Blocks of the same guide, the nearest before it first. */
function siblings(files: readonly BlockFile[], index: number): readonly BlockFile[] {
  const guide = guideOf(files[index]!.block.page);
  const same = files.filter((file, at) => at !== index && guideOf(file.block.page) === guide);
  const before = same.filter((file) => files.indexOf(file) < index).toReversed();
  return [...before, ...same.filter((file) => !before.includes(file))];
}

class BlockFile {
  readonly block: Block;
  readonly path: string;
  readonly declared: ReadonlySet<string>;

  constructor(block: Block, path: string) {
    this.block = block;
    this.path = path;
    const source = ts.createSourceFile(path, block.code, ts.ScriptTarget.ES2022, true);
    this.declared = new Set(source.statements.flatMap(namesOf));
  }

  get title(): string | undefined {
    return /^\/\/ (?:[\w-]+\/)*([\w.-]+)\.ts\b/.exec(this.block.code)?.[1];
  }

  write(imports: readonly string[], near: readonly BlockFile[]): void {
    const code = this.block.code.replaceAll(/from '(\.[^']+)'/g, (_, specifier: string) => {
      const title = specifier.replace(/\.js$/, '').split('/').at(-1);
      return `from '${near.find((file) => file.title === title)?.path ?? CONTEXT}'`;
    });
    const exported = [...this.declared].filter(
      (name) => !new RegExp(`^export [\\w ]*\\b${name}\\b`, 'm').test(this.block.code),
    );
    const lines = [...imports, `export { ${exported.join(', ')} };`, code];
    writeFileSync(this.path, lines.join('\n'));
  }
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  }
  const named =
    ts.isClassDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return named && statement.name !== undefined ? [statement.name.text] : [];
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) =>
    ts.isOmittedExpression(element) ? [] : boundNames(element.name),
  );
}

function importOf(
  name: string,
  near: readonly BlockFile[],
  offers: ReadonlyMap<string, string>,
): string {
  const from = near.find(({ declared }) => declared.has(name))?.path ?? offers.get(name);
  return from === undefined ? '' : `import { ${name} } from '${from}';`;
}

function programOf(files: readonly BlockFile[], old?: ts.Program): ts.Program {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(CONFIGURATION, (name) => ts.sys.readFile(name)).config,
    ts.sys,
    FOLDER,
  );
  return ts.createProgram(
    [...files.map(({ path }) => path), CONTEXT, KNOWN_FILE],
    options,
    undefined,
    old,
  );
}

/** For the compiler, and for a linter that reads types. */
function configuration(): string {
  const paths = Object.entries(KNOWN).flatMap(([module, path]) =>
    path.endsWith('.ts') ? [[module, [resolve(path)]] as const] : [],
  );
  return JSON.stringify({
    extends: resolve('tsconfig.json'),
    compilerOptions: {
      noEmit: true,
      composite: false,
      incremental: false,
      // As a new Nest application has it in its strict form.
      exactOptionalPropertyTypes: false,
      noUncheckedIndexedAccess: false,
      noPropertyAccessFromIndexSignature: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      isolatedModules: false,
      verbatimModuleSyntax: false,
      allowImportingTsExtensions: true,
      paths: Object.fromEntries(paths),
    },
    include: ['*.ts'],
  });
}

function exportsOf(program: ts.Program, path: string): readonly string[] {
  const checker = program.getTypeChecker();
  const file = path.endsWith('.ts')
    ? program.getSourceFile(resolve(path))
    : packageFile(program, path);
  const symbol = file && checker.getSymbolAtLocation(file);
  return symbol === undefined ? [] : checker.getExportsOfModule(symbol).map(({ name }) => name);
}

function packageFile(program: ts.Program, name: string): ts.SourceFile | undefined {
  const { resolvedModule } = ts.resolveModuleName(
    name,
    CONTEXT,
    program.getCompilerOptions(),
    ts.sys,
    undefined,
    undefined,
    ts.ModuleKind.ESNext,
  );
  return resolvedModule && program.getSourceFile(resolvedModule.resolvedFileName);
}

function missingNames(program: ts.Program, path: string): readonly string[] {
  const diagnostics = program.getSemanticDiagnostics(program.getSourceFile(path));
  const names = diagnostics
    .filter(({ code }) => CANNOT_FIND_NAME.has(code))
    .map(({ file, start, length }) => file!.text.slice(start, start! + length!));
  return [...new Set(names)];
}

function mistakes(program: ts.Program, path: string): readonly string[] {
  const file = program.getSourceFile(path)!;
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
    ({ messageText, start }) =>
      `${ts.flattenDiagnosticMessageText(messageText, '\n')}, at: ${file.text.slice(start).split('\n')[0]}`,
  );
}
