import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ThornConfigurationError, ThornError } from '../../lib/errors/index.js';
import { UsageError } from '../../lib/cli/commands/terminal.js';

interface ErrorClass {
  readonly name: string;
  readonly codes: readonly string[];
}

const files = readdirSync('lib', { recursive: true, encoding: 'utf8' });
const sources = files
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .map((file) => readFileSync(join('lib', file), 'utf8'));
const CLASS = /class (\w+) extends (?:ThornError|InvalidInputError|ThornConfigurationError) \{/g;
const classes: readonly ErrorClass[] = sources.flatMap((text) =>
  [...text.matchAll(CLASS)].map(({ index, 1: name }) => ({
    name: name!,
    codes: [
      ...text.slice(index, text.indexOf('\n}\n', index)).matchAll(/readonly code = '(\w+)'/g),
    ].map(([, code]) => code!),
  })),
);
const faults = sources.flatMap((text) =>
  [...text.matchAll(/new ThornConfigurationError\(\s*('THORN_\w+')?/g)].map(([, code]) => code),
);
const ofFaults = [...new Set(faults.map((code) => code?.slice(1, -1)))];
const ofClasses = classes.flatMap(({ codes }) => codes);
const sections = new Map(
  readFileSync('docs/errors.md', 'utf8')
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);

describe('the codes of errors', () => {
  it.each(classes.filter(({ name }) => name !== 'ThornConfigurationError'))(
    'are one for $name',
    ({ codes }) => {
      expect(codes).toEqual([expect.stringMatching(/^THORN_[A-Z_]+$/)]);
    },
  );

  it('are given to each fault of the configuration', () => {
    expect(faults.length).toBeGreaterThan(50);
    expect(ofFaults).not.toContain(undefined);
  });

  it('are those of one class alone', () => {
    const all = [...ofClasses, ...ofFaults];
    expect(all.filter((code, index) => all.indexOf(code) !== index)).toEqual([]);
  });

  it('are all in the guide, each with its fix', () => {
    expect([...sections.keys()].toSorted()).toEqual([...ofClasses, ...ofFaults].toSorted());
    const unhelpful = [...sections].filter(([, text]) => !/\S\s\*\*Fix:\*\* \S/.test(text));
    expect(unhelpful.map(([code]) => code)).toEqual([]);
  });

  it('are known of every class that an entry exports', async () => {
    const entries = files.filter((file) => /^(\w+[/\\])?index\.ts$/.test(file));
    const exported = new Set<string>();
    for (const entry of entries) {
      for (const value of Object.values(
        (await import(`../../lib/${entry}`)) as Record<string, unknown>,
      )) {
        if (typeof value !== 'function' || value === ThornError) continue;
        if (value.prototype instanceof ThornError) exported.add(value.name);
      }
    }
    expect(exported.size).toBeGreaterThan(15);
    expect([...exported].filter((name) => !classes.some((one) => one.name === name))).toEqual([]);
  });
});

describe('an error', () => {
  const error = new ThornConfigurationError('THORN_TABLES_MISSING', 'No tables.', { name: 'main' });

  it('links to its section of the guide in the package', () => {
    const guide = 'node_modules/nestjs-thorn/docs/errors.md';
    expect(error.link).toBe(`${guide}#thorn_tables_missing`);
    expect(new UsageError('no').link).toBe(`${guide}#thorn_usage`);
  });

  it('shows its link where it is printed, above the frames', () => {
    const [head, see, frame] = inspect(error).split('\n');
    expect(head).toBe('ThornConfigurationError: No tables.');
    expect(see).toBe(`    See ${error.link}`);
    expect(frame).toMatch(/^ {4}at .*errors\.spec\.ts/);
    expect(inspect(error)).toContain("code: 'THORN_TABLES_MISSING'");
  });

  it('keeps a stack that a program sets', () => {
    const other = new UsageError('no');
    other.stack = 'mine';
    expect(other.stack).toBe('mine');
  });
});
