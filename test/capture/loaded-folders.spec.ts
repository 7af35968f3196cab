import { readdirSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import type { CaptureApp } from '../support/apps/capture-app.js';

const FOLDER = 'lib/typeorm/sqlite';
const loaded = new Set<string>();
for (const file of readdirSync(FOLDER).filter((name) => !name.endsWith('.spec.ts'))) {
  // The module itself, and a note that it was loaded.
  vi.doMock(`../../${FOLDER}/${file}`, (original) => {
    loaded.add(file);
    return original();
  });
}

let rig: CaptureApp | undefined;
afterEach(() => rig?.close());

it('loads the folder of SQLite for a data source on SQLite alone', async () => {
  await import('../../lib/typeorm/sources/typeorm-sources.js');
  const { openCaptureApp } = await import('../support/apps/capture-app.js');
  for (const kind of ['postgres', 'mariadb'] as const) {
    await (await openCaptureApp(kind, [])).close();
  }
  expect([...loaded]).toEqual([]);

  rig = await openCaptureApp('sqlite', []);
  expect([...loaded]).toContain('sqlite-client.ts');
});
