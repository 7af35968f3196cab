import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import ts from 'typescript';

/**
 * One mention of another module in a file.
 *
 * @typedef {object} Import
 * @property {string} specifier as written
 * @property {number} line counted from 1
 * @property {boolean} loads false where types alone are meant, or the path
 */

/**
 * Everything that a source or declaration file imports: static and dynamic imports, re-exports, `import('x')` types,
 * `require`, augmentations of other modules and type references; type-only ones too.
 *
 * @param {string} file
 * @returns {Import[]}
 */
export function importsOf(file) {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  /** @type {Import[]} */
  const found = [];
  const add = (
    /** @type {string} */ specifier,
    /** @type {number} */ position,
    /** @type {boolean} */ loads,
  ) => {
    const line = source.getLineAndCharacterOfPosition(position).line + 1;
    found.push({ specifier, line, loads });
  };
  for (const { fileName, pos } of source.typeReferenceDirectives) {
    add(fileName === 'node' ? 'node:process' : fileName, pos, false);
  }
  visit(source);
  return found;

  /** @param {ts.Node} node */
  function visit(node) {
    const name = moduleName(node);
    if (name) add(name.text, name.getStart(), loads(node));
    ts.forEachChild(node, visit);
  }
}

/**
 * The name of the package in a specifier: `@nestjs/common` of `@nestjs/common/enums`; null for a path, an import from
 * the own package (`#…`) and what Node brings.
 *
 * @param {string} specifier
 */
export function packageOf(specifier) {
  if (/^[./#]/.test(specifier) || isBuiltin(specifier)) return null;
  const [scope, name] = specifier.split('/');
  return scope?.startsWith('@') ? `${scope}/${name}` : scope;
}

/**
 * The packages that code in front of users may name: the dependencies and those peers that are not optional.
 *
 * @param {{ dependencies?: object, peerDependencies?: object, peerDependenciesMeta?: Record<string, { optional?: boolean }> }} manifest
 * @returns {{ required: Set<string>, optional: Set<string> }}
 */
export function packagesOf({
  dependencies = {},
  peerDependencies = {},
  peerDependenciesMeta = {},
}) {
  const optional = Object.entries(peerDependenciesMeta).flatMap(([name, meta]) =>
    meta.optional ? [name] : [],
  );
  const required = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
  for (const name of optional) required.delete(name);
  return { required, optional: new Set(optional) };
}

/**
 * The files that an entry point of package.json leads to, whatever the conditions.
 *
 * @param {any} target
 * @returns {string[]}
 */
export function targetsOf(target) {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(targetsOf);
}

/**
 * @param {ts.Node} node
 * @returns {ts.StringLiteralLike | undefined}
 */
function moduleName(node) {
  let name;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) name = node.moduleSpecifier;
  else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    name = node.argument.literal;
  } else if (ts.isExternalModuleReference(node)) name = node.expression;
  else if (ts.isModuleDeclaration(node)) name = node.name;
  else if (ts.isCallExpression(node) && loadsModule(node.expression)) name = node.arguments[0];
  return name && ts.isStringLiteralLike(name) ? name : undefined;
}

/** @param {ts.Node} node */
function loads(node) {
  if (ts.isExportDeclaration(node)) return !node.isTypeOnly;
  if (ts.isCallExpression(node)) return !ts.isPropertyAccessExpression(node.expression);
  if (!ts.isImportDeclaration(node)) return false;
  const { phaseModifier, name, namedBindings } = node.importClause ?? {};
  const isTypeOnly = phaseModifier === ts.SyntaxKind.TypeKeyword;
  const isNamed = namedBindings !== undefined && ts.isNamedImports(namedBindings) && !name;
  return !isTypeOnly && !(isNamed && namedBindings.elements.every((one) => one.isTypeOnly));
}

/** @param {ts.Expression} callee */
function loadsModule(callee) {
  return (
    callee.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(callee) && callee.text === 'require') ||
    (ts.isPropertyAccessExpression(callee) &&
      callee.name.text === 'resolve' && // require.resolve
      ts.isIdentifier(callee.expression) &&
      callee.expression.text === 'require')
  );
}
