/**
 * A Vitest set-up file for spec files that share a process: `autoLoadEntities` remembers the entities of all of them, and
 * Nest has no call to forget them.
 */
import { inject } from 'vitest';

interface Module {
  readonly EntitiesMetadataStorage: { readonly storage: Map<string, unknown> };
}

const file = new URL('dist/entities-metadata.storage.js', inject('nestTypeorm'));
const { EntitiesMetadataStorage } = (await import(file.href)) as Module;
EntitiesMetadataStorage.storage.clear();
