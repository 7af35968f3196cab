import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

/** Of this process: several tools may start one at a time. */
const FILE = `.cache/test-postgres-${process.pid}.mjs`;

/**
 * Starts the PostgreSQL server of the tests; see test/services/postgres.ts, which Node.js does not run as it stands.
 *
 * @returns {Promise<import('../test/services/server.js').Server>}
 */
export async function startPostgres() {
  const bundle = await rolldown({
    input: 'test/services/postgres.ts',
    platform: 'node',
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    tsconfig: false,
  });
  await bundle.write({ file: FILE, format: 'esm', codeSplitting: false });
  const { startPostgres: start } = await import(pathToFileURL(resolve(FILE)).href);
  rmSync(FILE);
  return start();
}
