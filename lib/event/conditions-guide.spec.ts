import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { compileCondition } from './condition-compile.js';

const guide = readFileSync('docs/conditions.md', 'utf8');

describe('the guide to conditions', () => {
  it('has blocks that compile', () => {
    const [preamble, ...blocks] = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);

    expect(blocks.length).toBeGreaterThan(4);
    expect(errorsOf([preamble, ...blocks].join('\n'))).toEqual([]);
    expect(errorsOf(`${preamble} const no: Condition<Article> = { titel: 'x' };`)).toHaveLength(1);
  });

  // Tables whose last column says whether the condition in the first holds.
  const examples = [...guide.matchAll(/^\| (`\{.*`) +\| (yes|no) +\|$/gm)].map(
    ([, cells, verdict]) => {
      const [condition, ...rows] = [...cells!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
      return {
        condition: condition!,
        now: rows.at(-1)!,
        before: rows.length > 1 ? rows[0]! : 'null',
        verdict,
      };
    },
  );

  it('has examples', () => expect(examples.length).toBeGreaterThan(15));

  it.each(examples)(
    '$condition from $before to $now: $verdict',
    ({ condition, now, before, verdict }) => {
      const compiled = compileCondition(literal(condition) as never);

      expect(compiled.holds(literal(now), literal(before))).toBe(verdict === 'yes');
    },
  );
});

function literal(code: string): unknown {
  return new Function(`return (${code})`)();
}

function errorsOf(code: string): string[] {
  const file = resolve('lib/event/guide.ts');
  const options = {
    ...ts.parseJsonConfigFileContent({ extends: './tsconfig.json' }, ts.sys, process.cwd()).options,
    noUnusedLocals: false,
    paths: { 'nestjs-thorn': [resolve('lib/event/index.ts')] },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, language) =>
    name === file ? ts.createSourceFile(name, code, language) : getSourceFile(name, language);
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file)!;
  return [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source),
  ].map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
