import type ts from 'typescript';

/** The application's own compiler. */
export type TypeScript = typeof ts;

/** Says why a file is left as it is: a sentence part that follows the file's name. */
export class NotUnderstood extends Error {}

interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * Adds `WebhooksModule` to the imports of the application's module.
 *
 * @throws {@link NotUnderstood} when the file has another form than expected
 */
export function addModule(compiler: TypeScript, file: string, text: string): string {
  const source = parsed(compiler, file, text);
  const imports = importsOf(compiler, source);
  const names = imports.map((one) => nameOf(one, source));
  if (names.some((name) => name.startsWith('nestjs-thorn') || name.includes('webhooks.module'))) {
    throw new NotUnderstood('imports webhooks already: there is nothing to add');
  }
  const last = imports.at(-1);
  if (last === undefined) throw new NotUnderstood('has no import');
  const quote = last.moduleSpecifier.getText(source)[0];
  const from = `${quote}./webhooks/webhooks.module${extensionOf(names)}${quote}`;
  const end = last.getText(source).endsWith(';') ? ';' : '';
  return edited(text, [
    { at: last.end, text: `\nimport { WebhooksModule } from ${from}${end}` },
    importsInsertion(compiler, source),
  ]);
}

/** The extension of relative imports: the same as the file has. */
export function extensionOf(names: readonly string[]): '' | '.js' {
  return names.some((name) => /^\.\.?\/.*\.js$/.test(name)) ? '.js' : '';
}

/** The names of the modules that a file imports. */
export function importedNames(compiler: TypeScript, file: string, text: string): string[] {
  const source = parsed(compiler, file, text);
  return importsOf(compiler, source).map((one) => nameOf(one, source));
}

/**
 * Lets the application keep raw bodies, which signatures cover.
 *
 * @throws {@link NotUnderstood} when the file has another form than expected
 */
export function addRawBody(compiler: TypeScript, file: string, text: string): string {
  const source = parsed(compiler, file, text);
  const calls: ts.CallExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (
      compiler.isCallExpression(node) &&
      /^NestFactory\s*\.\s*create$/.test(node.expression.getText(source))
    ) {
      calls.push(node);
    }
    compiler.forEachChild(node, visit);
  };
  visit(source);
  const [call] = calls;
  if (call === undefined || calls.length > 1) {
    throw new NotUnderstood('does not call NestFactory.create() once');
  }
  const options = call.arguments.at(-1);
  if (options === undefined) throw new NotUnderstood('calls NestFactory.create() without a module');
  if (compiler.isObjectLiteralExpression(options)) {
    const given = options.properties.find(({ name }) => name?.getText(source) === 'rawBody');
    if (given === undefined) {
      const added = options.properties.length === 0 ? ' rawBody: true ' : ' rawBody: true,';
      return edited(text, [{ at: options.getStart(source) + 1, text: added }]);
    }
    if (given.getText(source).endsWith('true')) return text;
    throw new NotUnderstood('sets rawBody to something else than true');
  }
  const isPlain =
    call.arguments.length === 1 ||
    (call.arguments.length === 2 && compiler.isNewExpression(options));
  if (!isPlain) {
    throw new NotUnderstood('gives NestFactory.create() options that are not written there');
  }
  return edited(text, [{ at: options.end, text: ', { rawBody: true }' }]);
}

function importsInsertion(compiler: TypeScript, source: ts.SourceFile): Insertion {
  const decorators = source.statements
    .filter((one) => compiler.isClassDeclaration(one))
    .flatMap((one) => compiler.getDecorators(one) ?? [])
    .map(({ expression }) => expression)
    .filter((one) => compiler.isCallExpression(one))
    .filter(({ expression }) => expression.getText(source) === 'Module');
  const [decorator] = decorators;
  if (decorator === undefined || decorators.length > 1) {
    throw new NotUnderstood('does not have one class with @Module()');
  }
  const [options] = decorator.arguments;
  if (options === undefined || !compiler.isObjectLiteralExpression(options)) {
    throw new NotUnderstood('does not give @Module() an object');
  }
  const property = options.properties.find(({ name }) => name?.getText(source) === 'imports');
  if (property === undefined) {
    const separator = options.properties.length === 0 ? '' : ',';
    return { at: options.getStart(source) + 1, text: ` imports: [WebhooksModule]${separator}` };
  }
  if (
    !compiler.isPropertyAssignment(property) ||
    !compiler.isArrayLiteralExpression(property.initializer)
  ) {
    throw new NotUnderstood('has imports that are not a list in @Module()');
  }
  const list = property.initializer;
  const last = list.elements.at(-1);
  if (last === undefined) return { at: list.end - 1, text: 'WebhooksModule' };
  const [, indent] =
    /\n([ \t]*)$/.exec(source.text.slice(last.getFullStart(), last.getStart(source))) ?? [];
  return {
    at: last.end,
    text: indent === undefined ? ', WebhooksModule' : `,\n${indent}WebhooksModule`,
  };
}

function importsOf(compiler: TypeScript, source: ts.SourceFile): readonly ts.ImportDeclaration[] {
  return source.statements.filter((one) => compiler.isImportDeclaration(one));
}

/** The name of the module that a declaration imports. */
function nameOf({ moduleSpecifier }: ts.ImportDeclaration, source: ts.SourceFile): string {
  return moduleSpecifier.getText(source).slice(1, -1);
}

function parsed(compiler: TypeScript, file: string, text: string): ts.SourceFile {
  const { diagnostics } = compiler.transpileModule(text, {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: { experimentalDecorators: true },
  });
  if (diagnostics?.[0] !== undefined) {
    const why = compiler.flattenDiagnosticMessageText(diagnostics[0].messageText, ' ');
    throw new NotUnderstood(`has a syntax error (${why})`);
  }
  return compiler.createSourceFile(file, text, compiler.ScriptTarget.Latest, true);
}

function edited(text: string, insertions: readonly Insertion[]): string {
  return insertions
    .toSorted((a, b) => b.at - a.at)
    .reduce((result, { at, text: added }) => result.slice(0, at) + added + result.slice(at), text);
}
