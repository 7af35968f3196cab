// Usage: node tools/check-replaced.mjs [folder of the package]
//
// Checks that the files that are shipped write no property of an object that another package, or Node.js, has made: by an
// assignment, `++`, `delete`, a destructuring assignment, the loop variable of a `for`, a function that sets, defines or
// removes properties, or a method that changes a list that such an object has. The exceptions are listed one by one in
// tools/written-objects.mjs, and explained in docs/operations.md.
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { WRITTEN } from './written-objects.mjs';

const root = resolve(process.argv[2] ?? '.');
const { config } = ts.readConfigFile(join(root, 'tsconfig.build.json'), (name) =>
  readFileSync(name, 'utf8'),
);
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const program = ts.createProgram(fileNames, { ...options, noEmit: true });
const checker = program.getTypeChecker();
const SETTERS = new Set([
  ...['defineProperty', 'deleteProperty', 'set', 'setPrototypeOf'].map((name) => `Reflect.${name}`),
  ...['assign', 'defineProperties', 'defineProperty', 'setPrototypeOf'].map(
    (name) => `Object.${name}`,
  ),
]);
/** What changes an array, a set or a map in place. */
const CHANGERS = new Set([
  ...['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin'],
  ...['add', 'set', 'delete', 'clear'],
]);
/** @type {string[]} */
const faults = [];
const listed = WRITTEN.flatMap(({ file, code }) => code.map((one) => ({ file, code: one })));
const used = new Set();
const checked = program.getSourceFiles().filter(({ fileName }) => fileNames.includes(fileName));
for (const source of checked) visit(source);
const inPackage = new Set(checked.map(({ fileName }) => inRoot(fileName)));
for (const one of listed) {
  if (!inPackage.has(one.file) || used.has(one)) continue;
  faults.push(
    `${one.file} is listed in tools/written-objects.mjs with what it has not: ${one.code}`,
  );
}

for (const fault of faults) console.error(fault);
console.log(`objects of others: ${checked.length} files checked, ${faults.length} faults`);
process.exitCode = faults.length > 0 || checked.length === 0 ? 1 : 0;

/** @param {ts.Node} node */
function visit(node) {
  for (const object of objectsWrittenBy(node)) {
    if (!isOfOthers(object)) continue;
    const source = node.getSourceFile();
    const file = inRoot(source.fileName);
    const written = ts.isBinaryExpression(node) ? node.left : node;
    const code = written.getText().replaceAll(/\s+/g, ' ');
    const exception = listed.find((one) => one.file === file && one.code === code);
    if (exception !== undefined) {
      used.add(exception);
      continue;
    }
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    faults.push(
      `${file}:${line} writes a property of what another package has made: ${object.getText()}`,
    );
  }
  ts.forEachChild(node, visit);
}

/**
 * @param {ts.Node} node
 * @returns {ts.Expression[]} the objects of which it writes a property
 */
function objectsWrittenBy(node) {
  if (ts.isCallExpression(node)) return objectsWrittenByCall(node);
  if (ts.isDeleteExpression(node)) return objectsOf(node.expression);
  if (ts.isBinaryExpression(node)) {
    return isAssignment(node.operatorToken.kind) ? objectsOf(node.left) : [];
  }
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
    const { operator } = node;
    const isStep =
      operator === ts.SyntaxKind.PlusPlusToken || operator === ts.SyntaxKind.MinusMinusToken;
    return isStep ? objectsOf(node.operand) : [];
  }
  const isLoop = ts.isForOfStatement(node) || ts.isForInStatement(node);
  return isLoop && !ts.isVariableDeclarationList(node.initializer)
    ? objectsOf(node.initializer)
    : [];
}

/**
 * @param {ts.CallExpression} call
 * @returns {ts.Expression[]}
 */
function objectsWrittenByCall({ expression, arguments: [first] }) {
  if (SETTERS.has(expression.getText())) return first === undefined ? [] : [first];
  if (!ts.isPropertyAccessExpression(expression) || !CHANGERS.has(expression.name.text)) return [];
  const list = bare(expression.expression);
  if (!isList(list)) return [];
  // A list that is a property of an object, or was taken out of one.
  if (ts.isPropertyAccessExpression(list)) return [list.expression];
  const declaration = checker.getSymbolAtLocation(list)?.valueDeclaration;
  if (!declaration || !ts.isBindingElement(declaration)) return [];
  const { parent } = declaration.parent;
  return ts.isVariableDeclaration(parent) && parent.initializer ? [parent.initializer] : [];
}

/**
 * @param {ts.Expression} target of an assignment, or a pattern of several
 * @returns {ts.Expression[]}
 */
function objectsOf(target) {
  const inner = bare(target);
  if (ts.isPropertyAccessExpression(inner)) return [inner.expression];
  // An element of a list or a buffer is no property.
  if (ts.isElementAccessExpression(inner)) {
    return isNumber(inner.argumentExpression) ? [] : [inner.expression];
  }
  if (ts.isArrayLiteralExpression(inner)) {
    return inner.elements.flatMap((one) =>
      objectsOf(ts.isSpreadElement(one) ? one.expression : withoutDefault(one)),
    );
  }
  if (!ts.isObjectLiteralExpression(inner)) return [];
  return inner.properties.flatMap((property) => {
    if (ts.isPropertyAssignment(property)) return objectsOf(withoutDefault(property.initializer));
    return ts.isSpreadAssignment(property) ? objectsOf(property.expression) : [];
  });
}

/** @param {ts.Expression} target */
function withoutDefault(target) {
  const isDefaulted =
    ts.isBinaryExpression(target) && target.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  return isDefaulted ? target.left : target;
}

/** @param {ts.SyntaxKind} kind */
function isAssignment(kind) {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/**
 * @param {ts.Expression} object
 * @returns {boolean} whether another package or Node.js has made it. What `unknown` or `object` is, nobody can tell: it counts
 * as theirs
 */
function isOfOthers(object) {
  const inner = bare(object);
  // What a class does to its own instance, whatever it extends, is its own matter.
  if (inner.kind === ts.SyntaxKind.ThisKeyword || isMadeHere(inner)) return false;
  const type = checker.getTypeAtLocation(inner);
  if (isUnknown(type) && !ts.isNewExpression(inner)) return true;
  if (isTypeOfOthers(type) || isTypeOfOthers(checker.getTypeAtLocation(object))) return true;
  // A cast, here or where the variable is declared, hides no type.
  const before = castFrom(object) ?? castFrom(initializerOf(inner));
  return before !== undefined && isOfOthers(before);
}

/** @param {ts.Expression} expression */
function isMadeHere(expression) {
  const made = initializerOf(expression) ?? expression;
  return ts.isObjectLiteralExpression(made) || ts.isArrayLiteralExpression(made);
}

/**
 * @param {ts.Expression} expression
 * @returns {ts.Expression | undefined} what a variable was declared with
 */
function initializerOf(expression) {
  if (!ts.isIdentifier(expression)) return undefined;
  const declaration = checker.getSymbolAtLocation(expression)?.valueDeclaration;
  return declaration && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
}

/**
 * @param {ts.Expression | undefined} expression
 * @returns {ts.Expression | undefined}
 */
function castFrom(expression) {
  if (expression === undefined) return undefined;
  const inner = bare(expression);
  return inner === expression ? undefined : inner;
}

/**
 * @param {ts.Expression} expression
 * @returns {ts.Expression} without parentheses and casts
 */
function bare(expression) {
  let inner = expression;
  while (
    ts.isParenthesizedExpression(inner) ||
    ts.isAsExpression(inner) ||
    ts.isNonNullExpression(inner) ||
    ts.isSatisfiesExpression(inner)
  ) {
    inner = inner.expression;
  }
  return inner;
}

/** @param {ts.Expression} expression */
function isNumber(expression) {
  return (checker.getTypeAtLocation(expression).flags & ts.TypeFlags.NumberLike) !== 0;
}

/** @param {ts.Expression} expression */
function isList(expression) {
  const type = checker.getNonNullableType(checker.getTypeAtLocation(expression));
  return checker.isArrayType(type) || ['Map', 'Set'].includes(type.getSymbol()?.name ?? '');
}

/**
 * @param {ts.Type} type
 * @returns {boolean}
 */
function isUnknown(type) {
  const constraint = type.isTypeParameter() ? type.getConstraint() : undefined;
  return ((constraint ?? type).flags & (ts.TypeFlags.Unknown | ts.TypeFlags.NonPrimitive)) !== 0;
}

/**
 * @param {ts.Type} type
 * @returns {boolean}
 */
function isTypeOfOthers(type) {
  if (type.isUnionOrIntersection()) return type.types.some(isTypeOfOthers);
  const constraint = type.isTypeParameter() ? type.getConstraint() : undefined;
  if (constraint !== undefined) return isTypeOfOthers(constraint);
  const symbol = type.getSymbol();
  if (isDeclaredByOthers(symbol)) return true;
  // Omit<QueryRunner, …> is a query runner, too.
  if (isOfTypeScript(type.aliasSymbol) && type.aliasSymbol?.name !== 'Record') {
    return (type.aliasTypeArguments ?? []).some(isTypeOfOthers);
  }
  const isInterface = ((symbol?.flags ?? 0) & ts.SymbolFlags.Interface) !== 0;
  return isInterface && (type.getBaseTypes() ?? []).some(isTypeOfOthers);
}

/** @param {ts.Symbol | undefined} symbol */
function isOfTypeScript(symbol) {
  return (symbol?.declarations ?? []).some((one) =>
    program.isSourceFileDefaultLibrary(one.getSourceFile()),
  );
}

/** @param {ts.Symbol | undefined} symbol */
function isDeclaredByOthers(symbol) {
  // Node.js adds to some types of the language, which are nobody's.
  if (isOfTypeScript(symbol)) return false;
  return (symbol?.declarations ?? []).some((one) =>
    one.getSourceFile().fileName.includes('/node_modules/'),
  );
}

/** @param {string} file */
function inRoot(file) {
  return relative(root, file).replaceAll('\\', '/');
}
