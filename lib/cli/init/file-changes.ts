import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What becomes of one file; null where there is none. */
export interface FileChange {
  /** Relative to the application, with `/`. */
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

export function reversed(changes: readonly FileChange[]): readonly FileChange[] {
  return changes.map(({ path, before, after }) => ({ path, before: after, after: before }));
}

/** The files that are not as a change expects them. */
export async function changedSince(
  folder: string,
  changes: readonly FileChange[],
): Promise<readonly string[]> {
  const texts = await Promise.all(changes.map(({ path }) => readText(join(folder, path))));
  return changes.filter(({ before }, index) => before !== texts[index]).map(({ path }) => path);
}

/** Makes all changes, or none of them when one fails. */
export async function applyChanges(folder: string, changes: readonly FileChange[]): Promise<void> {
  const done: FileChange[] = [];
  try {
    for (const change of changes) {
      await write(join(folder, change.path), change.after);
      done.unshift(change);
    }
  } catch (error) {
    for (const { path, before } of done) await write(join(folder, path), before);
    throw error;
  }
}

export async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function write(file: string, text: string | null): Promise<void> {
  if (text === null) {
    await rm(file);
    // Unless something else is in it.
    await rmdir(dirname(file)).catch(() => undefined);
    return;
  }
  await mkdir(dirname(file), { recursive: true });
  // Never half a file.
  await writeFile(`${file}.thorn`, text);
  await rename(`${file}.thorn`, file);
}

/** The change as lines: `+` added, `-` removed, and a line of what is around. Pure. */
export function differenceOf({ path, before, after }: FileChange): readonly string[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < old.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (
    end < old.length - start &&
    end < now.length - start &&
    old.at(-1 - end) === now.at(-1 - end)
  ) {
    end += 1;
  }
  return [
    `--- ${before === null ? 'nothing' : path}`,
    `+++ ${after === null ? 'nothing' : path}`,
    ...old.slice(Math.max(0, start - 1), start).map((line) => ` ${line}`),
    ...changedLines(old.slice(start, old.length - end), now.slice(start, now.length - end)),
    ...old.slice(old.length - end, old.length - end + 1).map((line) => ` ${line}`),
  ];
}

/** Lines with their signs; as many as possible stay. */
function changedLines(old: readonly string[], now: readonly string[]): readonly string[] {
  // By how many lines are the same from a pair of places on, counted from the end.
  const same = old.map(() => now.map(() => 0));
  const from = (i: number, j: number): number => same[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      same[i]![j] =
        old[i] === now[j] ? from(i + 1, j + 1) + 1 : Math.max(from(i + 1, j), from(i, j + 1));
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && old[i] === now[j]) {
      lines.push(` ${old[i]}`);
      i += 1;
      j += 1;
    } else if (j < now.length && (i === old.length || from(i, j + 1) > from(i + 1, j))) {
      lines.push(`+${now[j]}`);
      j += 1;
    } else {
      lines.push(`-${old[i]}`);
      i += 1;
    }
  }
  return lines;
}

function linesOf(text: string | null): readonly string[] {
  return text === null ? [] : text.replace(/\n$/, '').split('\n');
}
