import { join } from 'node:path';
import { bundleProgram } from '../services/child.js';

/**
 * The environment of a process whose program opens one of `SQL_CLIENTS`: that of a workspace is bundled there, where its
 * packages are found.
 */
export async function clientEnvironment(
  client: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  const [, folder] = Object.entries(FOLDERS).find(([name]) => client?.startsWith(name)) ?? [];
  if (folder === undefined) return {};
  const workspace = join('test', 'clients', folder);
  const cache = join(workspace, '.cache');
  const program = await bundleProgram(join(workspace, 'open.ts'), {}, cache);
  return { [`THORN_TEST_${folder}`]: program };
}

const FOLDERS = { 'Prisma 7': 'prisma-7', 'Prisma 6': 'prisma-6', Drizzle: 'drizzle' };
