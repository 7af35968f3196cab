import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { STANDARD_SCHEDULE } from '../../lib/delivery/retry-policy.js';

/** The names of an interface's own members. */
function membersOf(file: string, name: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022);
  const found = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  );
  return found!.members.map((member) => (member.name as ts.Identifier).text);
}

/** The names in the first column of the first table below a heading. */
function documented(file: string, heading: string): readonly string[] {
  const [, section] = readFileSync(file, 'utf8').split(`\n${heading}\n`);
  const rows = /(?:^\|.*\|\n)+/m.exec(section!)![0].trim().split('\n').slice(2);
  return rows.flatMap((row) => row.split(' | ')[0]!.match(/(?<=`)\w+(?=`)/g) ?? []);
}

describe('docs/retries.md', () => {
  it('lists every option', () => {
    expect(documented('docs/retries.md', '## Change the schedule')).toEqual(
      membersOf('lib/delivery/retry-policy.ts', 'StandardRetryPolicyOptions'),
    );
  });

  it('shows the schedule that is the default', () => {
    const units: Readonly<Record<string, number>> = {
      second: 1000,
      minute: 60_000,
      hour: 3_600_000,
    };
    const table = readFileSync('docs/retries.md', 'utf8').matchAll(
      /^\| \d+ +\| (\d+) (second|minute|hour)s? /gm,
    );
    expect([...table].map(([, count, unit]) => Number(count) * units[unit!]!)).toEqual(
      STANDARD_SCHEDULE,
    );
  });
});
