import type { ConditionFault } from '../../event/conditions/condition-fields.js';
import type { OperatorName } from '../../event/conditions/condition.js';
import { isNumberType } from '../plan/row-paths.js';

/** The column that a condition compares with. */
interface ComparedColumn {
  readonly type: string;
  readonly read: ((value: unknown) => unknown) | undefined;
}

/** Says why no value of a row that a trigger has written down can equal an operand: JSON has neither dates nor bytes. */
export function operandFault(
  column: ComparedColumn | undefined,
  operator: OperatorName,
  operand: unknown,
): ConditionFault | undefined {
  const isList = operator === 'in' || operator === 'notIn';
  const wrong = isList ? firstWrong([...(operand as Iterable<unknown>)]) : firstWrong(operand);
  if (wrong === undefined) return undefined;
  const effect = ['ne', 'notIn'].includes(operator) ? 'has no effect' : 'can never hold';
  const has = wrong === operand ? 'is' : 'has';
  return {
    text: `${effect}: it ${has} ${formOf(wrong, column)}`,
    data: { reason: 'never-holds' },
  };
}

type Wrong = Date | Uint8Array | Set<unknown> | Map<unknown, unknown>;

function firstWrong(value: unknown): Wrong | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Date || value instanceof Uint8Array) return value;
  if (value instanceof Set || value instanceof Map) return value;
  for (const one of Object.values(value)) {
    const wrong = firstWrong(one);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** The wrong value, what rows have instead, and how to write that. */
function formOf(wrong: Wrong, column: ComparedColumn | undefined): string {
  if (wrong instanceof Set) return 'a Set, and rows have lists. Write a list, such as [1, 2]';
  if (wrong instanceof Map) return 'a Map, and rows have objects. Write an object';
  if (wrong instanceof Uint8Array) {
    return "a value of bytes, and rows have bytes as texts in base64. Write .toString('base64') of a Buffer";
  }
  if (column !== undefined && isNumber(column)) {
    return 'a Date, and the row has a number. Write one as the column holds it';
  }
  // Without fraction and zone it is smaller than each text of this second, and greater than each text before.
  const text = wrong.toISOString().slice(0, column?.type === 'date' ? 10 : 19);
  return `a Date, and rows have times as texts. Write the text as the row has it, such as '${text}'`;
}

/** A table of Drizzle may read the number of a column as a time. */
function isNumber({ type, read }: ComparedColumn): boolean {
  return isNumberType(type) && typeof (read === undefined ? 0 : read(0)) === 'number';
}
