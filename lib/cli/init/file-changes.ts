import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The change of one file; null when it does not exist. */
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

/** Makes all changes, or no change when one of them fails. */
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

/** Shows a change as lines: `+` added, `-` removed, and one unchanged line around it. Pure. */
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

/** Returns lines with their signs. A line that occurs in both texts stays; new lines in front of it are added. */
function changedLines(old: readonly string[], now: readonly string[]): readonly string[] {
  const rest = [...now];
  const lines = old.flatMap((line) => {
    const at = rest.indexOf(line);
    if (at === -1) return [`-${line}`];
    const added = rest.splice(0, at + 1).slice(0, at);
    return [...added.map((one) => `+${one}`), ` ${line}`];
  });
  return [...lines, ...rest.map((line) => `+${line}`)];
}

function linesOf(text: string | null): readonly string[] {
  return text === null ? [] : text.replace(/\n$/, '').split('\n');
}
