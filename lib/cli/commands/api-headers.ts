import { type CommandOptions, type Given, parseTexts } from '../terminal/command.js';
import type { Terminal } from '../terminal/terminal.js';
import { UsageError } from '../terminal/usage.error.js';

export const headerOption = {
  header: {
    type: 'string',
    short: 'H',
    multiple: true,
    value: 'name: value',
    help: 'sent along. Default of Authorization: the variable THORN_AUTHORIZATION',
  },
} as const satisfies CommandOptions;

/** The headers of `--header`, and that of a `--token`. No list of processes shows the variable, their default. */
export function readHeaders(
  given: Given,
  { env }: Terminal,
  token?: string,
): readonly (readonly [string, string])[] {
  const headers = parseTexts(given, 'header').map((text) => {
    const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(text) ?? [];
    if (name === undefined) throw new UsageError('--header must be "Name: value"');
    return [name, value!] as const;
  });
  const hasOwn = headers.some(([name]) => name.toLowerCase() === 'authorization');
  if (hasOwn && token !== undefined) {
    throw new UsageError('--token and --header both give Authorization: leave one of them out');
  }
  const authorization = token === undefined ? env['THORN_AUTHORIZATION'] : `Bearer ${token}`;
  return hasOwn || authorization === undefined
    ? headers
    : [['authorization', authorization], ...headers];
}
