import { parseArgs, type ParseArgsConfig } from 'node:util';
import { parseDuration, parseIsoDate } from '../../common/time.js';
import { type Terminal, UsageError } from './terminal.js';

/** Everything is fine; the answer is no; it was called in a wrong way. */
export type ExitCode = 0 | 1 | 2;

/** A command's options by name, as `util.parseArgs` takes them, with a word for each in the help. */
export type CommandOptions = Readonly<
  Record<
    string,
    NonNullable<ParseArgsConfig['options']>[string] & {
      readonly help: string;
      /** The name of the value in the help. */
      readonly value?: string;
    }
  >
>;

export type Given = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

export interface Command {
  readonly name: string;
  /** The operands after the name: `[file]`. */
  readonly operands: string;
  readonly summary: string;
  /** More for its help. */
  readonly details?: string;
  readonly options: CommandOptions;
  /** Most operands that it takes. */
  readonly most: number;
  run(operands: readonly string[], given: Given, terminal: Terminal): Promise<ExitCode>;
}

/** @throws {@link UsageError} naming an unknown option, or an operand too many */
export function parseArguments(
  { name, options, most }: Command,
  args: readonly string[],
): { readonly operands: readonly string[]; readonly given: Given } {
  const bare = Object.fromEntries(
    Object.entries(options).map(([option, { type, multiple, short }]) => [
      option,
      { type, ...(multiple && { multiple }), ...(short !== undefined && { short }) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...bare, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    if (positionals.length > most && values['help'] !== true) {
      throw new UsageError(`thorn ${name}: "${positionals[most]}" is too much`);
    }
    return { operands: positionals, given: values };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`thorn ${name}: ${(error as Error).message}`);
  }
}

export function parseText(given: Given, name: string): string | undefined {
  const value = given[name];
  return typeof value === 'string' ? value : undefined;
}

export function parseTexts(given: Given, name: string): readonly string[] {
  const value = given[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

export function parseWord<Word extends string>(
  given: Given,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const value = parseText(given, name);
  if (value === undefined || (words as readonly string[]).includes(value)) return value as Word;
  throw new UsageError(`--${name} must be one of ${words.join(', ')}`);
}

/** Reads the secrets of `--secret`, or of the environment variable. Lists of processes do not show the variable. */
export function readSecrets(given: Given, { env }: Terminal): readonly string[] {
  const secrets = parseTexts(given, 'secret');
  return secrets.length > 0 ? secrets : (env['THORN_SECRET']?.split(/\s+/).filter(Boolean) ?? []);
}

/**
 * Reads a time in ISO 8601 with its zone, or how long ago it was, such as `24h`. Returns milliseconds since the Unix
 * epoch.
 */
export function parseDate(given: Given, name: string, now: number): number | undefined {
  const text = parseText(given, name);
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  const time = ago === null ? parseIsoDate(text)?.getTime() : now - ago;
  if (time !== undefined) return time;
  throw new UsageError(`--${name} must be a time such as 2026-01-31T08:00:00Z, or 24h, 90m or 7d`);
}

export function generalHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'Usage: thorn <command> [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Run thorn <command> --help for the options of a command. Exit codes: 0 success, 1 a check failed, 2 wrong\noptions.',
  ].join('\n');
}

export function commandHelp({ name, operands, summary, details, options }: Command): string {
  const lines = Object.entries(options).map(([option, { short, value, help, type }]) => {
    const left = `${short === undefined ? '    ' : `-${short}, `}--${option}`;
    return [type === 'string' ? `${left} <${value ?? 'text'}>` : left, help] as const;
  });
  const width = Math.max(0, ...lines.map(([left]) => left.length));
  return [
    ['Usage: thorn', name, operands, lines.length > 0 ? '[options]' : ''].filter(Boolean).join(' '),
    '',
    `${summary}.`,
    ...(details === undefined ? [] : ['', details]),
    ...(lines.length === 0 ? [] : ['']),
    ...lines.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`),
  ].join('\n');
}
