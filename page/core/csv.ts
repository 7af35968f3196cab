/** The rows of one file: a program for tables opens no more with ease, and the API answers 100 at once. */
export const MOST_ROWS = 5000;

/** A table as CSV. The first line has the names of the columns. */
export function csvOf(lines: readonly (readonly (string | number | null)[])[]): string {
  return `\ufeff${lines.map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** Programs for tables run a text as a formula that begins with one of these signs, and drop blanks before them. */
const FORMULA = /^\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

function cell(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  return `"${(FORMULA.test(value) ? `'${value}` : value).replaceAll('"', '""')}"`;
}

/** A URL without what may be a credential: user, password, query and fragment. */
export function urlForFile(url: string): string {
  const parsed = new URL(url);
  return parsed.origin + parsed.pathname;
}
