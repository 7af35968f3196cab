import { dirname, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { importsOf, packageOf } from '../../tools/imports.mjs';

it('loads Nest and rxjs alone: neither a database nor an HTTP client', () => {
  const packages = new Set<string>();
  const files = new Set<string>();
  const follow = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const { specifier } of importsOf(file)) {
      const name = packageOf(specifier);
      if (name) packages.add(name);
      if (specifier.startsWith('.')) {
        follow(resolve(dirname(file), specifier).replace(/\.js$/, '.ts'));
      }
    }
  };
  follow(resolve('lib/receiver/index.ts'));

  expect(files.size).toBeGreaterThan(20);
  expect([...packages].sort()).toEqual(['@nestjs/common', '@nestjs/core', 'rxjs']);
});
