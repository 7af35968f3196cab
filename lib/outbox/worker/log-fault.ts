import { Logger } from '@nestjs/common';
import { stackFrames, type LogFacts, LogLine, errorText } from '../../common/index.js';

/** Logs what has failed and why, with where it comes from. */
export function logFault(what: string, error: unknown, facts: LogFacts): void {
  new Logger('Thorn').error(new LogLine(`${what}: ${errorText(error)}`, facts), stackFrames(error));
}
