import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PAGES } from '../../tools/reference-pages.mjs';
import { referencePages } from '../../tools/reference.mjs';

/** What is in the table of another, or is for authors of extensions. */
const ELSEWHERE = new Set([
  'CatalogueDocumentOptions',
  'EventDefinitions',
  'LongWorkOptions',
  'MethodErrorOptions',
  'MethodEventOptions',
  'PageDefinition',
  'PublicRecipientPolicyOptions',
  'RelayDefinition',
  'SendForOptions',
  'SqlClientDefinition',
  'StoreOptions',
  'StrategyDefinition',
  'SubscriberLimits',
  'DatabaseSubscriberOptions',
]);
describe('the reference of options', () => {
  it('is what the types say now: npm run docs:options', async () => {
    const now = await referencePages();
    for (const path of Object.keys(now)) expect(readFileSync(path, 'utf8'), path).toBe(now[path]);
  });

  it('knows every type of options that an entry exports', () => {
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: object };
    const entries = Object.values(exports).flatMap((target: { import?: { types: string } }) =>
      target.import === undefined
        ? []
        : target.import.types.replace('./dist', 'lib').replace('.d.mts', '.ts'),
    );
    const names = entries.flatMap((entry) => [
      ...readFileSync(entry, 'utf8').matchAll(/\b[A-Z]\w+(?:Options|Extras|Limits|Definition)\b/g),
    ]);
    const shown = new Set(PAGES.flatMap(({ sections }) => sections.map(({ type }) => type)));
    const unknown = new Set(
      names.map(([name]) => name).filter((name) => !shown.has(name) && !ELSEWHERE.has(name)),
    );
    expect([...unknown]).toEqual([]);
  });
});
