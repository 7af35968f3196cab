import { readFileSync, writeFileSync } from 'node:fs';
import type { TestDatabase } from '../../test/support/databases.js';
import type { ApiSetUp } from '../../test/support/apps/api-app.js';

export type PageFiles = readonly { readonly name: string; readonly isFirst: boolean }[];
export type Api = Awaited<ReturnType<typeof startPage>>;

/** Starts an application with the API and the page, whose visitors are all alice. */
export async function startPage(
  files: PageFiles,
  store: Pick<TestDatabase, 'options'>,
  thorn: ApiSetUp['thorn'] = {},
) {
  // The sources know no files of the page: the build puts them there.
  const bundle = new URL('../../lib/page/page-bundle.js', import.meta.url);
  const before = readFileSync(bundle, 'utf8');
  writeFileSync(bundle, `export const PAGE_FILES = ${JSON.stringify(files)};\n`);
  const { startApi } = await import('../../test/support/apps/api-app.js');
  const { thornPage } = await import('../../lib/page/index.js');
  writeFileSync(bundle, before);
  return startApi('fastify', {
    api: { unprotected: true, owner: () => 'alice' },
    store: { ...store, drop: async () => {} },
    thorn: { page: thornPage(), ...thorn },
  });
}
