// Usage: node tools/check-imports.mjs [folder of the package]
//
// Checks the imports of the files that are shipped (those of tsconfig.build.json; specs are free):
//   - they obey the floors of tools/floors.mjs;
//   - no cycle, type-only imports included: what knows each other's types is not separate;
//   - only lib/typeorm names the package typeorm, for values or types;
//   - packages they name are declared in package.json, and nothing outside lib is reached by path;
//   - only the top folders have an index.ts.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { findCycles } from './cycles.mjs';
import { judgeFolders, judgeImport, judgePackage } from './floors.mjs';
import { importsOf, packageOf, packagesOf } from './imports.mjs';

const root = resolve(process.argv[2] ?? '.');
const lib = join(root, 'lib');
const packages = packagesOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
/** @type {Map<string, string[]>} */
const graph = new Map();
/** @type {string[]} */
const faults = [];

for (const file of shippedFiles()) graph.set(inLib(file), checkFile(file));
faults.push(...judgeFolders([...graph.keys()]));
for (const cycle of findCycles(graph)) faults.push(`cycle: ${[...cycle, cycle[0]].join(' → ')}`);

for (const fault of faults) console.error(fault);
console.log(`imports: ${graph.size} files checked, ${faults.length} faults`);
process.exitCode = faults.length > 0 || graph.size === 0 ? 1 : 0;

/**
 * @param {string} file
 * @returns {string[]} the files of lib that it imports
 */
function checkFile(file) {
  const from = inLib(file);
  return importsOf(file).flatMap(({ specifier, line }) => {
    const fault = (/** @type {string} */ text) => faults.push(`lib/${from}:${line} ${text}`);
    const name = packageOf(specifier);
    if (name && !packages.required.has(name) && !packages.optional.has(name)) {
      fault(`names "${name}", which is neither a dependency nor a peer in package.json`);
    }
    const misplaced = judgePackage(from, name);
    if (misplaced) fault(misplaced);
    if (!specifier.startsWith('.')) return [];
    const target = resolve(dirname(file), specifier).replace(/\.js$/, '.ts');
    const to = inLib(target);
    if (to.startsWith('..')) fault(`reaches "${specifier}", outside of lib`);
    else if (!existsSync(target)) fault(`imports "${specifier}", which does not exist`);
    else {
      const verdict = judgeImport(from, to);
      if (verdict) fault(verdict);
      return [to];
    }
    return [];
  });
}

function shippedFiles() {
  const path = join(root, 'tsconfig.build.json');
  const { config, error } = ts.readConfigFile(path, (name) => readFileSync(name, 'utf8'));
  if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'));
  return ts.parseJsonConfigFileContent(config, ts.sys, root).fileNames;
}

/** @param {string} file */
function inLib(file) {
  return relative(lib, file).split(sep).join('/');
}
