import type { Command } from './command.js';

export function generalHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'Usage: thorn <command> [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'thorn <command> --help says more. Exit codes: 0 done, 1 the answer is no, 2 called in a wrong way.',
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
