import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileCondition } from '../../lib/event/conditions/condition-compile.js';

const guide = readFileSync('docs/conditions.md', 'utf8');

describe('the guide to conditions', () => {
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

  it('has examples', () => expect(examples).not.toEqual([]));

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
