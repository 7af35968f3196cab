import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Looks for optional peers before anything is loaded that needs them. */
const CHECK = `import './required-packages.js';`;

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly require: { types: string } }>>;
  readonly typesVersions: { readonly '*': Readonly<Record<string, readonly string[]>> };
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const entries = Object.entries(manifest.exports).flatMap(([entry, target]) =>
  typeof target === 'string' ? [] : [{ entry, types: target.require.types }],
);

describe('the entry points', () => {
  it.each(entries)('exports by name from $entry', ({ types }) => {
    const { names, others } = entryFile(types);
    expect(others).toEqual([]);
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
  });

  it('export what a reviewer has seen: npx vitest run -u test/tooling/entries.spec.ts', async () => {
    const lists = entries.map(({ entry, types }) => {
      const names = entryFile(types).names.sort();
      return [entry, ...names.map((name) => `  ${name}`), ''].join('\n');
    });
    await expect(lists.join('\n')).toMatchFileSnapshot('exports.txt');
  });

  it('names each thing in one entry', () => {
    const main = new Set(entryFile('./dist/index.d.ts').names);
    const { names } = entryFile('./dist/extending/index.d.ts');
    expect(names.filter((name) => main.has(name))).toEqual([]);
  });

  it('is found by resolvers that do not read "exports"', () => {
    const found = Object.entries(manifest.typesVersions['*']).map(([entry, [types]]) => ({
      entry: `./${entry}`,
      types,
    }));
    expect(found).toEqual(entries.filter(({ entry }) => entry !== '.'));
  });
});

/** What the source of an entry exports, and its statements of any other kind. */
function entryFile(types: string): { names: string[]; others: string[] } {
  const path = types.replace('./dist/', 'lib/').replace('.d.ts', '.ts');
  const text = readFileSync(path, 'utf8');
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const names: string[] = [];
  const others: string[] = [];
  for (const statement of statements) {
    if (
      ts.isExportDeclaration(statement) &&
      statement.exportClause !== undefined &&
      ts.isNamedExports(statement.exportClause)
    ) {
      names.push(...statement.exportClause.elements.map(({ name }) => name.text));
    } else if (statement.getText() !== CHECK) others.push(statement.getText());
  }
  return { names, others };
}
