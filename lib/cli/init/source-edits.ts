import type ts from 'typescript';

/** The application's own compiler. */
export type TypeScript = typeof ts;

/** Says why a file is left as it is: a sentence part that follows the file's name. */
export class NotUnderstood extends Error {}

export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * Imports of a file that uses the module already. A file may import the entities of `nestjs-thorn/typeorm` without it.
 */
const MODULES = /^nestjs-thorn(?!\/typeorm$)|webhooks\.module/;

/** @throws {@link NotUnderstood} when the file has another form than expected */
export function addModule(
  compiler: TypeScript,
  file: string,
  text: string,
  ending: Ending,
): string {
  const source = parsed(compiler, file, text);
  const names = importsOf(compiler, source).map((one) => nameOf(one, source));
  if (names.some((name) => MODULES.test(name))) {
    throw new NotUnderstood(
      'imports webhooks already: add there by hand what is missing, such as page: thornPage()',
    );
  }
  return edited(text, [
    addedImport(compiler, source, 'WebhooksModule', `./webhooks/webhooks.module${ending}`),
    importsInsertion(compiler, source),
  ]);
}

export type Ending = '' | '.js' | '.ts';

/** The ending of relative imports: the same as a file has that imports these names. */
export function endingOf(names: readonly string[]): Ending {
  const endings = names.map((name) => /^\.\.?\/.*(\.[jt]s)$/.exec(name)?.[1]);
  return (endings.find((ending) => ending !== undefined) ?? '') as Ending;
}

/** The events of an entity, as `thorn init` declares them. */
export interface EntityEvents {
  readonly name: string;
  readonly keys: readonly string[];
  /** The property of the owner's id; undefined: everybody may see the events. */
  readonly owner: string | undefined;
}

/** @throws {@link NotUnderstood} when the file has another form than expected */
export function addEvents(
  compiler: TypeScript,
  file: string,
  text: string,
  { name, keys, owner }: EntityEvents,
): string {
  const source = parsed(compiler, file, text);
  if (importsOf(compiler, source).some((one) => nameOf(one, source) === 'nestjs-thorn')) {
    throw new NotUnderstood('imports nestjs-thorn already: there is nothing to add');
  }
  const declared = source.statements
    .filter((one) => compiler.isClassDeclaration(one))
    .find((one) => one.name?.text === name);
  const entity = compiler.getDecorators(declared!)?.at(-1);
  if (entity === undefined) throw new NotUnderstood(`has no decorator above ${name}`);
  const event = subjectOf(name);
  const shown = keys.length === 0 ? 'id' : keys.join(', ');
  const settings = [
    `payload: ({ ${shown} }) => ({ ${shown} })`,
    ...(owner === undefined ? [] : [`owner: '${owner}'`]),
  ];
  const lines = [
    `@Webhooks<${name}>({ ${settings.join(', ')} })`,
    ...[
      ['created', 'create'],
      ['changed', 'change'],
      ['removed', 'delete'],
    ].map(([what, on]) => `@WebhookEvent<${name}>('${event}.${what}', { on: '${on}' })`),
  ];
  return edited(text, [
    addedImport(compiler, source, 'WebhookEvent, Webhooks', 'nestjs-thorn'),
    { at: entity.end, text: `\n${lines.join('\n')}` },
  ]);
}

/**
 * The first part of the event names of an entity or a table: `order-item` for both `OrderItem` and `OrderItemEntity`.
 */
export function subjectOf(name: string): string {
  const subject = name.replace(/(?<=.)Entity$/, '');
  return subject.replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, '-').toLowerCase();
}

export function importedNames(compiler: TypeScript, text: string): string[] {
  const source = compiler.createSourceFile('x.ts', text, compiler.ScriptTarget.Latest, true);
  return importsOf(compiler, source).map((one) => nameOf(one, source));
}

/** Lets the application keep raw bodies, which signatures cover. @throws {@link NotUnderstood} */
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
  return appendedTo(property.initializer, source, 'WebhooksModule');
}

/** Appends an element to a list, on a line of its own if the last element has one. */
export function appendedTo(
  list: ts.ArrayLiteralExpression,
  source: ts.SourceFile,
  text: string,
): Insertion {
  const last = list.elements.at(-1);
  if (last === undefined) return { at: list.end - 1, text };
  const [, indent] =
    /\n([ \t]*)$/.exec(source.text.slice(last.getFullStart(), last.getStart(source))) ?? [];
  return { at: last.end, text: indent === undefined ? `, ${text}` : `,\n${indent}${text}` };
}

/** Appends an import, in the file's own style. @throws {@link NotUnderstood} when the file has no import */
export function addedImport(
  compiler: TypeScript,
  source: ts.SourceFile,
  names: string,
  from: string,
): Insertion {
  const last = importsOf(compiler, source).at(-1);
  if (last === undefined) throw new NotUnderstood('has no import');
  const quote = last.moduleSpecifier.getText(source)[0];
  const end = last.getText(source).endsWith(';') ? ';' : '';
  return {
    at: lineEndOf(compiler, source.text, last),
    text: `\nimport { ${names} } from ${quote}${from}${quote}${end}`,
  };
}

function importsOf(compiler: TypeScript, source: ts.SourceFile): readonly ts.ImportDeclaration[] {
  return source.statements.filter((one) => compiler.isImportDeclaration(one));
}

/** Behind a comment that follows in the same line. */
function lineEndOf(compiler: TypeScript, text: string, { end }: ts.Node): number {
  return compiler.getTrailingCommentRanges(text, end)?.at(-1)?.end ?? end;
}

function nameOf({ moduleSpecifier }: ts.ImportDeclaration, source: ts.SourceFile): string {
  return moduleSpecifier.getText(source).slice(1, -1);
}

export function parsed(compiler: TypeScript, file: string, text: string): ts.SourceFile {
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

export function edited(text: string, insertions: readonly Insertion[]): string {
  return insertions
    .toSorted((a, b) => b.at - a.at)
    .reduce((result, { at, text: added }) => result.slice(0, at) + added + result.slice(at), text);
}
