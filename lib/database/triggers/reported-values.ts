import type { ReportedRow } from './reported-table.js';

/** A column, as far as its values need it. */
export interface ReportedColumn {
  readonly name: string;
  /** The type in lower case. */
  readonly type: string;
  readonly isArray?: boolean | undefined;
}

/** The triggers of SQLite report bytes in hexadecimal, as an object with this one member. */
export const BYTES = '$hex';

/**
 * The triggers of MariaDB write this character in front of a `timestamp`, which they report in seconds since 1970 in
 * UTC.
 */
export const SECONDS = '@';

/** Numbers that JavaScript does not read in full. */
const LONG_NUMBER = /^(?:int8|bigint|unsigned big int|numeric|decimal)$/;

/**
 * How to read a value, by the type of its column, in any of the databases. Values of other types are taken as JSON has
 * them.
 */
const READINGS: readonly (readonly [types: RegExp, read: (value: unknown) => unknown])[] = [
  [
    /^(?:bool|boolean|tinyint\(1\))$/,
    (value) => (value === 0 || value === 1 ? value === 1 : value),
  ],
  [/^(?:bytea|binary|varbinary|(?:tiny|medium|long)?blob)$/, base64Of],
  [/^(?:timestamptz|timestamp|datetime)$/, timeOf],
];

/**
 * Reads a row that a trigger has written down. Numbers of 64 bits and decimal numbers become texts with all their digits,
 * bytes are in base64, times are ISO texts with their fraction.
 *
 * @param json the text of `old_row` or `new_row`
 * @param columns of the table; values of other columns stay as JSON has them
 */
export function readReportedRow(json: string, columns: readonly ReportedColumn[]): ReportedRow {
  const long = columns.filter(({ type }) => LONG_NUMBER.test(type)).map(({ name }) => name);
  const row = JSON.parse(withLongNumbersAsTexts(json, new Set(long))) as Record<string, unknown>;
  for (const { name, type } of columns) {
    const value = row[name];
    if (value === undefined || value === null) continue;
    const read = isBytes(value) ? base64Of : READINGS.find(([types]) => types.test(type))?.[1];
    if (read !== undefined) row[name] = readEach(value, read);
  }
  return row;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]]|-?\d[\d.eE+-]*|null|true|false/g;

/**
 * Turns all numbers of some columns into texts, and in the other columns the whole numbers that JavaScript would round.
 */
function withLongNumbersAsTexts(json: string, columns: ReadonlySet<string>): string {
  let depth = 0;
  let column: string | undefined;
  return json.replaceAll(TOKEN, (token) => {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && column === undefined) {
      column = JSON.parse(token) as string;
      return token;
    }
    const isNumber = /^[-\d]/.test(token);
    const isRounded = depth === 1 && /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token));
    const isText = isNumber && (columns.has(column!) || isRounded);
    if (depth === 1) column = undefined;
    return isText ? `"${token}"` : token;
  });
}

/** An array has a reading of each of its elements. */
export function readEach(value: unknown, read: (value: unknown) => unknown): unknown {
  return Array.isArray(value) ? value.map((one) => readEach(one, read)) : read(value);
}

function isBytes(value: unknown): value is Readonly<Record<typeof BYTES, string>> {
  return typeof value === 'object' && typeof (value as { [BYTES]?: unknown })[BYTES] === 'string';
}

function base64Of(value: unknown): unknown {
  const hex = isBytes(value) ? value[BYTES] : value;
  return typeof hex === 'string'
    ? Buffer.from(hex.replace(/^\\x/, ''), 'hex').toString('base64')
    : value;
}

const WITH_OFFSET =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/;

/** Values that are not a time, such as `infinity`, stay as they are. */
function timeOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (value.startsWith(SECONDS)) {
    const [seconds, fraction] = value.slice(SECONDS.length).split('.');
    return `${isoSeconds(Number(seconds) * 1000)}${fraction === undefined ? '' : `.${fraction}`}Z`;
  }
  const text = value.replace(/^(\d{4}-\d\d-\d\d) (\d\d:)/, '$1T$2');
  const [, time, fraction = '', sign, hours, minutes = '0', seconds = '0'] =
    WITH_OFFSET.exec(text) ?? [];
  if (time === undefined) return text;
  const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  const utc = Date.parse(`${time}Z`) - (sign === '-' ? -offset : offset) * 1000;
  return `${isoSeconds(utc)}${fraction}Z`;
}

function isoSeconds(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, '');
}
