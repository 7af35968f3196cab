import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';

/** The package that `npm run check:published` has packed. */
export function packedFile() {
  const file = readdirSync('.cache/pack').find((name) => name.endsWith('.tgz'));
  if (file === undefined) throw new Error('there is no package: run npm run check:published first');
  return resolve('.cache/pack', file);
}
