import { type CommandOptions, type Given, parseTexts } from '../terminal/command.js';
import type { Terminal } from '../terminal/terminal.js';
import { UsageError } from '../terminal/usage.error.js';

/** The option of commands that use an API. */
export const headerOption = {
  header: {
    type: 'string',
    short: 'H',
    multiple: true,
    value: 'name: value',
    help: 'sent along; the variable THORN_AUTHORIZATION is sent as Authorization',
  },
} as const satisfies CommandOptions;

/** The headers of `--header`, and the variable, which no list of processes shows. */
export function readHeaders(
  given: Given,
  { env }: Terminal,
): readonly (readonly [string, string])[] {
  const headers = parseTexts(given, 'header').map((text) => {
    const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(text) ?? [];
    if (name === undefined) throw new UsageError('--header must be "Name: value"');
    return [name, value!] as const;
  });
  const authorization = env['THORN_AUTHORIZATION'];
  return authorization === undefined ? headers : [['authorization', authorization], ...headers];
}
