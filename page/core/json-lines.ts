/** A line of formatted JSON. */
export interface JsonLine {
  readonly text: string;
  readonly depth: number;
  /** The index of the line that closes the object or list which this line opens; undefined when the line opens none. */
  end?: number;
}

/** The greatest number of lines that are shown, because each line is an element of the page. */
const MOST_LINES = 1500;

/**
 * Formats JSON in lines. The tokens stay as they were sent, such as numbers beyond 2^53, escapes, and names that occur
 * twice. It stops after `most` characters, so that a long or deep body costs no time.
 *
 * @returns null for a text that is not an object or list in JSON
 */
export function jsonLines(text: string, most: number): JsonLine[] | null {
  if (!isJson(text)) return null;
  const lines: { text: string; depth: number; end?: number }[] = [];
  const open: number[] = [];
  let room = most;
  let line = '';
  const end = () => {
    if (line !== '') lines.push({ text: line, depth: Math.min(open.length, 40) });
    line = '';
  };
  for (let at = 0; at < text.length && room > 0 && lines.length < MOST_LINES;) {
    const next = endOfToken(text, at);
    const token = text.slice(at, Math.min(next, at + room));
    at = next;
    if (token.trim() === '') continue;
    room -= token.length;
    if (token === '{' || token === '[') {
      line += token;
      end();
      open.push(lines.length - 1);
    } else if (token === '}' || token === ']') {
      end();
      const opened = open.pop()!;
      if (opened === lines.length - 1) line = lines.pop()!.text + token;
      else {
        lines[opened]!.end = lines.length;
        line = token;
      }
    } else if (token === ',') {
      line += token;
      end();
    } else line += token === ':' ? ': ' : token;
  }
  end();
  return lines;
}

function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const SIGN = /[{}[\],:\s]/;

function endOfToken(text: string, at: number): number {
  if (SIGN.test(text[at]!)) return at + 1;
  let end = at + 1;
  if (text[at] !== '"') {
    while (end < text.length && !SIGN.test(text[end]!)) end += 1;
    return end;
  }
  // A loop and not a regular expression, because a value may have millions of characters.
  for (; text[end] !== '"'; end += 1) if (text[end] === '\\') end += 1;
  return end + 1;
}
