/**
 * A filter as rows of a form. Rows and the JSON that is made of them have the same meaning; a filter that rows cannot
 * express is edited as JSON.
 */
export interface FilterRows {
  /** Whether all rows must hold, or one of them. */
  readonly join: 'AND' | 'OR';
  readonly rows: readonly FilterRow[];
}

export interface FilterRow {
  /** The names of the fields from the outermost to the innermost, for example `customer.country`. */
  readonly field: string;
  readonly operator: FilterOperator;
  /** The value as it is typed. A number, true, false and a text in quotes are read as JSON; everything else is a text. */
  readonly value: string;
}

export const OPERATORS = [
  ...(['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'notIn'] as const),
  ...(['contains', 'startsWith', 'endsWith', 'present', 'absent'] as const),
] as const;
export type FilterOperator = (typeof OPERATORS)[number];

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
type Fields = Readonly<Record<string, Json>>;

/** Operators of the API that a row has no choice for are edited as JSON. */
const OTHERS: ReadonlySet<string> = new Set(['is', 'isNot', 'truthy', 'AND', 'OR', 'NOT']);

/** Null for no filter. */
export function filterOf({ join, rows }: FilterRows): Json {
  const conditions = rows.filter(({ field }) => field.trim() !== '').map(conditionOf);
  if (conditions.length === 0) return null;
  if (conditions.length === 1) return conditions[0]!;
  return { [join]: conditions };
}

function conditionOf({ field, operator, value }: FilterRow): Fields {
  const names = field.trim().split('.');
  const test: Json =
    operator === 'present'
      ? { isNot: null }
      : operator === 'absent'
        ? { is: null }
        : operator === 'in' || operator === 'notIn'
          ? { [operator]: listOf(value) }
          : { [operator]: valueOf(value) };
  return names.reduceRight<Json>((inner, name) => ({ [name]: inner }), test) as Fields;
}

function valueOf(text: string): string | number | boolean {
  const bare = text.trim();
  if (/^(?:true|false|-?\d+(?:\.\d+)?|".*")$/.test(bare)) {
    try {
      return JSON.parse(bare) as string | number | boolean;
    } catch {
      // The value is not JSON after all, such as "a"b", and is read as a text.
    }
  }
  return text;
}

/** Splits values at commas. A value in quotes may contain commas. */
function listOf(text: string): (string | number | boolean)[] {
  return [...text.matchAll(/\s*("(?:[^"\\]|\\.)*"|[^,]+)/g)].map(([, one]) => valueOf(one!.trim()));
}

/** The rows of a filter; null for a filter that rows cannot express. */
export function rowsOf(filter: unknown): FilterRows | null {
  if (filter === null) return { join: 'AND', rows: [] };
  if (!isFields(filter)) return null;
  const [only] = Object.keys(filter);
  const isJoined = Object.keys(filter).length === 1 && (only === 'AND' || only === 'OR');
  const join = isJoined && only === 'OR' ? 'OR' : 'AND';
  const list = isJoined ? filter[only] : Object.entries(filter).map((pair) => entryOf(pair));
  if (!Array.isArray(list) || list.length === 0) return null;
  const rows: FilterRow[] = [];
  for (const one of list as readonly Json[]) {
    const row = rowOf(one, []);
    if (row === null) return null;
    rows.push(row);
  }
  return { join, rows };
}

function entryOf([name, value]: [string, Json]): Fields {
  return { [name]: value };
}

/**
 * The row of a condition. Several fields in one object must hold for the same element of a list, which rows cannot
 * express, so that each object may have only one name.
 */
function rowOf(condition: Json, path: readonly string[]): FilterRow | null {
  if (!isFields(condition)) {
    const isPlain = path.length > 0 && !Array.isArray(condition);
    if (isPlain && condition === null) return rowFor(path, 'absent', '');
    return isPlain ? rowFor(path, 'eq', condition) : null;
  }
  const entries = Object.entries(condition);
  if (entries.length !== 1) return null;
  const [name, value] = entries[0]!;
  if (path.length > 0 && value === null) {
    if (name === 'isNot' || name === 'ne') return rowFor(path, 'present', '');
    if (name === 'is' || name === 'eq') return rowFor(path, 'absent', '');
  }
  const isOperator = (OPERATORS as readonly string[]).includes(name);
  if (path.length > 0 && isOperator && (typeof value !== 'object' || Array.isArray(value))) {
    return rowFor(path, name as FilterOperator, value);
  }
  if (OTHERS.has(name) || name.includes('.') || name.startsWith('$')) return null;
  return rowOf(value, [...path, name]);
}

function rowFor(path: readonly string[], operator: FilterOperator, value: Json): FilterRow | null {
  const field = path.join('.');
  if (operator === 'present' || operator === 'absent') return { field, operator, value: '' };
  const isList = operator === 'in' || operator === 'notIn';
  if (isList !== Array.isArray(value)) return null;
  const values = (isList ? value : [value]) as readonly Json[];
  if (values.some((one) => typeof one === 'object')) return null;
  return { field, operator, value: values.map((one) => textOf(one, isList)).join(', ') };
}

/** The text of a value. A text that would be read as a number or a boolean is put in quotes. */
function textOf(value: Json, isInList: boolean): string {
  if (typeof value !== 'string') return String(value);
  const isClear = valueOf(value) === value && value !== '' && value.trim() === value;
  return isClear && !(isInList && /[,"]/.test(value)) ? value : JSON.stringify(value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
