import { shownNames } from '../../common/log.js';
import type { RefusalData } from '../../errors/index.js';
import { isForbiddenKey } from './condition-encoding.js';
import {
  findOperator,
  isOperatorElsewhere,
  misspeltOperator,
  operatorNames,
} from './condition-operators.js';

/**
 * The kind of a field: a `value`, a `number` (its texts are compared by exact value, as the drivers return
 * decimal and bigint columns), `nested` (a relation or embedded object), or `open` (JSON, anything may be below).
 */
export type FieldKind = 'value' | 'number' | 'nested' | 'open';

/** Gives the kind of field at a dotted path of the row; undefined when there is none. */
export type FieldKinds = (path: string) => FieldKind | undefined;

/** Returns the names of the fields below a dotted path of the row. The empty path stands for the row itself. */
export type FieldNames = (path: string) => readonly string[];

/** An error in one part of a condition. */
export interface ConditionFault {
  /** A sentence part that follows the path. */
  readonly text: string;
  readonly data: RefusalData;
}

/** Knowledge about the row, as `ConditionContext` has it. */
interface KnownFields {
  readonly fieldKind?: FieldKinds;
  readonly fieldNames?: FieldNames;
  readonly fieldsOf?: string;
}

/**
 * Returns the error in the name of a field, if there is one. When the row's fields are not known, a misspelled operator
 * cannot always be told from a field: a name that looks like an operator is refused.
 */
export function fieldFault(
  path: readonly string[],
  { fieldKind, fieldNames, fieldsOf }: KnownFields,
): ConditionFault | undefined {
  const key = path.at(-1)!;
  const unknown = (text: string) => ({ text, data: { reason: 'unknown-path' } as const });
  if (isForbiddenKey(key)) return unknown('is a name that a field cannot have');
  if (key === '' || key.includes('.')) {
    return unknown('is not a field name; write nested fields as nested objects');
  }
  return fieldKind === undefined
    ? looksLikeOperator(path)
    : unknownField(path, fieldKind, fieldNames, fieldsOf);
}

function unknownField(
  path: readonly string[],
  kindOf: FieldKinds,
  namesOf: FieldNames | undefined,
  of = 'the row',
): ConditionFault | undefined {
  const above = path.slice(0, -1).map((_, index) => kindOf(path.slice(0, index + 1).join('.')));
  if (above.includes('open')) return undefined;
  if (above.length > 0 && above.at(-1) !== 'nested') return noOperator(path);
  if (kindOf(path.join('.')) !== undefined) return undefined;
  if (misspeltOperator(path.at(-1)!) !== undefined) return noOperator(path);
  const names = namesOf?.(path.slice(0, -1).join('.'));
  const known = names === undefined ? '' : `. Valid fields: ${shownNames(names)}`;
  return { text: `is not a field of ${of}${known}`, data: { reason: 'unknown-path' } };
}

function looksLikeOperator(path: readonly string[]): ConditionFault | undefined {
  const key = path.at(-1)!;
  if (path.length === 1) return misplacedOperator(key);
  const isSuspicious =
    key.startsWith('$') ||
    isTransitionLike(key) ||
    isOperatorElsewhere(key) ||
    misspeltOperator(key) !== undefined;
  return isSuspicious ? noOperator(path) : undefined;
}

/** Refuses an operator in the place of a field. A field may be called `in`, `is` or `contains`, so these names pass. */
function misplacedOperator(key: string): ConditionFault | undefined {
  const operator = findOperator(key);
  if (operator === undefined) return undefined;
  if (!operator.isNow && ['in', 'is', 'contains'].includes(operator.name)) return undefined;
  const text = `is an operator, and must stand below a field, as in { "total": { "${key}": … } }`;
  return { text, data: { reason: 'unknown-operator' } };
}

function noOperator(path: readonly string[]): ConditionFault {
  const meant = misspeltOperator(path.at(-1)!);
  const reason = 'unknown-operator';
  if (meant !== undefined) {
    return { text: `is not an operator; did you mean ${meant}?`, data: { reason, meant } };
  }
  const names = operatorNames().join(', ');
  const text = `is not an operator; the operators are ${names}, each also as now… such as nowEq`;
  return { text, data: { reason } };
}

/** `nowEquals`: hardly a field, and read as one it would never hold. */
function isTransitionLike(key: string): boolean {
  const next = key.startsWith('now') ? key.charAt(3) : '';
  return next !== next.toLowerCase();
}
