import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkNode } from '../common/supported-versions.js';
import { ThornConfigurationError } from '../errors/index.js';
import {
  parseArguments,
  type Command,
  type ExitCode,
  commandHelp,
  generalHelp,
} from './commands/command.js';
import { doctorCommand } from './commands/doctor.command.js';
import { listenCommand } from './commands/listen.command.js';
import { ApiError } from './commands/api-client.js';
import { migrationsCommand } from './commands/migrations.command.js';
import { signCommand } from './commands/sign.command.js';
import { type Terminal, UsageError } from './commands/terminal.js';
import { diffCommand } from './documents/diff.command.js';
import { typesCommand } from './documents/types.command.js';
import { triggersCommand } from './commands/triggers.command.js';
import { verifyCommand } from './commands/verify.command.js';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  listenCommand,
  verifyCommand,
  signCommand,
  doctorCommand,
  typesCommand,
  diffCommand,
  migrationsCommand,
  triggersCommand,
];

export async function main(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    checkNode();
    return await dispatched(args, terminal);
  } catch (error) {
    if (error instanceof UsageError || error instanceof ThornConfigurationError) {
      terminal.note(`thorn: ${error.message}`);
      return 2;
    }
    if (error instanceof ApiError) {
      terminal.note(`thorn: ${error.message}`);
      return 1;
    }
    throw error;
  }
}

async function dispatched(
  [name, ...rest]: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  if (name === '--version' || name === '-v') {
    terminal.out(await versionOfPackage());
    return 0;
  }
  if (name === undefined) {
    terminal.note(generalHelp(COMMANDS));
    return 2;
  }
  if (name === 'help' && rest.length > 0) return dispatched([...rest, '--help'], terminal);
  if (name === '--help' || name === '-h' || name === 'help') {
    terminal.out(generalHelp(COMMANDS));
    return 0;
  }
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) {
    throw new UsageError(`unknown command "${name}"; thorn --help lists all commands`);
  }
  const { operands, given } = parseArguments(command, rest);
  if (given['help'] === true) {
    terminal.out(commandHelp(command));
    return 0;
  }
  return command.run(operands, given, terminal);
}

async function versionOfPackage(): Promise<string> {
  const text = await readFile(join(__dirname, '../../package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
