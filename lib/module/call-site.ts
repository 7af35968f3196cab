import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const UNKNOWN = 'an unknown place';

/** The call in the application that has set the module up; the module provides its own to {@link assertOneModule}. */
export class CallSite {
  /** The method and its call, such as `forRoot() at src/app.module.ts:12`. */
  readonly text: string;

  /** @param method the static method that the application has called; frames above its call are left out */
  constructor(method: (...args: never[]) => unknown) {
    const holder: { stack?: string } = {};
    Error.captureStackTrace(holder, method);
    this.text = `${method.name}() at ${siteOf(holder.stack ?? '')}`;
  }
}

/** Finds the innermost frame of the application, as file and line. The file may be a compiled one. */
export function siteOf(stack: string): string {
  const sites = stack
    .split('\n')
    .filter((line) => /^\s*at /.test(line))
    .map(locationOf)
    .filter((site) => site !== undefined);
  // A package may set the module up for an application.
  return sites.find((site) => !/(?:^|[\\/])node_modules[\\/]/.test(site)) ?? sites[0] ?? UNKNOWN;
}

function locationOf(frame: string): string | undefined {
  const text = frame.trim().replace(/^at (?:async )?/, '');
  const location = text.endsWith(')') ? text.slice(text.indexOf(' (') + 2, -1) : text;
  const [, file, line] = /^(.+?):(\d+)(?::\d+)?$/.exec(location) ?? [];
  if (file === undefined || /^(?:node:|native$|<anonymous>)/.test(file)) return undefined;
  return `${shown(file.startsWith('file://') ? fileURLToPath(file) : file)}:${line}`;
}

/** Relative to the working directory for what is below it. */
function shown(file: string): string {
  if (!isAbsolute(file)) return file;
  const below = relative(process.cwd(), file);
  return below.startsWith('..') || isAbsolute(below) ? file : below;
}
