// A plugin of vitest. The packages that a workspace names are loaded from that workspace: by tests, by `lib`, and by the
// calls of `require()` in `lib`, which aliases do not reach. Other packages are those of the root.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageOf } from './imports.mjs';

/**
 * @param {string} folder of the workspace
 * @returns {import('vite').Plugin}
 */
export function workspacePackages(folder) {
  const manifest = join(folder, 'package.json');
  const { devDependencies } = JSON.parse(readFileSync(manifest, 'utf8'));
  const names = new Set(Object.keys(devDependencies));
  const { resolve } = createRequire(manifest);
  return {
    name: 'workspace-packages',
    enforce: 'pre',
    resolveId(specifier) {
      const name = packageOf(specifier);
      if (!name || !names.has(name)) return null;
      return this.resolve(specifier, manifest, { skipSelf: true });
    },
    transform(code) {
      return code.replaceAll(
        /\b(require(?:\.resolve)?)\((['"])([^'"]+)\2\)/g,
        (call, callee, _quote, specifier) =>
          names.has(specifier) ? `${callee}(${JSON.stringify(resolve(specifier))})` : call,
      );
    },
  };
}
