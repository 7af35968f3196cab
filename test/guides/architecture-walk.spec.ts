import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

interface Stop {
  readonly number: number;
  readonly file: string;
  /** A function, or a class and its method. */
  readonly name: string;
  /** Whether a library calls it, and no stop before it. */
  readonly isEntry: boolean;
}

const page = readFileSync('docs/architecture/walk.md', 'utf8');
const walk = page.slice(page.indexOf('## The walk'), page.indexOf('## Why a delivery waits'));
const reasons = page.slice(page.indexOf('## Why a delivery waits'));
const deciders = [...reasons.matchAll(/`([^`]+\.ts)` `([^`]+)`/g)].map(([, file, name]) => ({
  file: join('lib', file!),
  name: name!,
}));
const stops = [...walk.matchAll(/^(\d+)\. `([^`]+)` `([^`]+)`(?: →|:)(.*)$/gm)].map(
  ([, number, file, name, text]): Stop => ({
    number: Number(number),
    file: join('lib', file!),
    name: name!,
    isEntry: /called by (?:TypeORM|undici)/.test(text!),
  }),
);

describe('the walk in docs/architecture/walk.md', () => {
  it('numbers all of its stops', () => {
    expect(stops.map(({ number }) => number)).toEqual(stops.map((_, index) => index + 1));
    expect(walk.match(/^\d+\. /gm)).toHaveLength(stops.length);
  });

  it.each(stops)('$number finds $name in $file', ({ file, name }) => {
    expect(existsSync(file), file).toBe(true);
    expect(bodyOf(file, name), `${name} in ${file}`).not.toBeNull();
  });

  it.each(stops.filter(({ isEntry }) => !isEntry))(
    '$number is called by a stop before it: $name',
    ({ number, name }) => {
      const before = stops.slice(0, number - 1).map((stop) => bodyOf(stop.file, stop.name) ?? '');
      const called = new RegExp(`(?<![\\w#])${name.split('.').at(-1)!}\\(`);
      expect(before.some((body) => called.test(body))).toBe(true);
    },
  );

  it('notices a name that is not there', () => {
    expect(bodyOf('lib/delivery/deliverer.ts', 'Deliverer.attempt')).toContain('this.#post(');
    expect(bodyOf('lib/delivery/deliverer.ts', 'Deliverer.post')).toBeNull();
    expect(bodyOf('lib/delivery/deliverer.ts', 'attempt')).toBeNull();
  });
});

describe('the reasons why a delivery waits in docs/architecture/walk.md', () => {
  it('names a function for every reason', () => {
    const rows = reasons.match(/^\| [a-z].*$/gm)!;
    expect(rows.filter((row) => !/`[^`]+\.ts` `[^`]+`/.test(row))).toEqual([]);
  });

  it.each(deciders)('finds $name in $file', ({ file, name }) => {
    expect(existsSync(file), file).toBe(true);
    expect(bodyOf(file, name), `${name} in ${file}`).not.toBeNull();
  });
});

const sources = new Map<string, ts.SourceFile>();

function sourceOf(file: string): ts.SourceFile {
  let source = sources.get(file);
  if (source === undefined) {
    const text = readFileSync(file, 'utf8');
    source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    sources.set(file, source);
  }
  return source;
}

/** The text of a function's or a method's body; null when the file does not declare it. */
function bodyOf(file: string, name: string): string | null {
  const [owner, method] = name.split('.');
  for (const node of sourceOf(file).statements) {
    if (ts.isFunctionDeclaration(node) && method === undefined && node.name?.text === owner) {
      return node.body!.getText();
    }
    if (!ts.isClassDeclaration(node) || node.name?.text !== owner) continue;
    const member = node.members.find(
      (one) => ts.isMethodDeclaration(one) && one.name.getText() === method,
    );
    return member === undefined ? null : (member as ts.MethodDeclaration).body!.getText();
  }
  return null;
}
