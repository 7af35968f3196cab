// Usage: node tools/check-replaced.mjs [folder of the package]
//
// Checks that the files that are shipped replace no method of an object of another package, outside of lib/typeorm: by
// an assignment, `delete`, or a function that defines or removes properties.
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(process.argv[2] ?? '.');
const { config } = ts.readConfigFile(join(root, 'tsconfig.build.json'), (name) =>
  readFileSync(name, 'utf8'),
);
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const program = ts.createProgram(fileNames, { ...options, noEmit: true });
const checker = program.getTypeChecker();
const ASSIGNING = new Set(
  ['defineProperty', 'deleteProperty', 'set', 'setPrototypeOf'].map((name) => `Reflect.${name}`),
);
for (const name of ['assign', 'defineProperties', 'defineProperty', 'setPrototypeOf']) {
  ASSIGNING.add(`Object.${name}`);
}
/** @type {string[]} */
const faults = [];
const checked = program
  .getSourceFiles()
  .filter(
    ({ fileName }) => fileNames.includes(fileName) && !inRoot(fileName).startsWith('lib/typeorm/'),
  );
for (const source of checked) visit(source);

for (const fault of faults) console.error(fault);
console.log(`replaced methods: ${checked.length} files checked, ${faults.length} faults`);
process.exitCode = faults.length > 0 || checked.length === 0 ? 1 : 0;

/** @param {ts.Node} node */
function visit(node) {
  const changed = changedBy(node);
  if (changed !== null && isOfOthers(changed)) {
    const source = node.getSourceFile();
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    faults.push(
      `${inRoot(source.fileName)}:${line} changes what another package has made: only lib/typeorm replaces methods`,
    );
  }
  ts.forEachChild(node, visit);
}

/**
 * @param {ts.Node} node
 * @returns {ts.Node | null} a method that is replaced or removed, or an object whose properties are
 */
function changedBy(node) {
  if (ts.isCallExpression(node)) {
    return ASSIGNING.has(node.expression.getText()) ? (node.arguments[0] ?? null) : null;
  }
  const member = ts.isDeleteExpression(node)
    ? node.expression
    : ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)
      ? node.left
      : null;
  if (member === null || !ts.isPropertyAccessExpression(member)) return null;
  return isMadeHere(member.expression) ? null : member.name;
}

/** @param {ts.SyntaxKind} kind */
function isAssignment(kind) {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/**
 * @param {ts.Node} object
 * @returns {boolean} whether it is a variable with an object literal, whatever its type
 */
function isMadeHere(object) {
  const declaration = checker.getSymbolAtLocation(object)?.valueDeclaration;
  const made = declaration && ts.isVariableDeclaration(declaration) && declaration.initializer;
  return made !== undefined && made !== false && ts.isObjectLiteralExpression(made);
}

/** @param {ts.Node} node */
function isOfOthers(node) {
  const type = checker.getNonNullableType(checker.getTypeAtLocation(node));
  const isMember = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
  if (isMember && type.getCallSignatures().length === 0) return false;
  const symbol = isMember ? checker.getSymbolAtLocation(node) : type.getSymbol();
  return (symbol?.declarations ?? []).some((declaration) => {
    const { fileName } = declaration.getSourceFile();
    return fileName.includes('/node_modules/') && !/\/(?:@types\/node|typescript)\//.test(fileName);
  });
}

/** @param {string} file */
function inRoot(file) {
  return relative(root, file).replaceAll('\\', '/');
}
