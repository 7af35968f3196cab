import { Logger } from '@nestjs/common';
import { BoundedCache } from '../bounded-cache.js';
import { errorText, stackFrames } from './error-text.js';
import { type LogFacts, LogLine } from './log-line.js';

/** Milliseconds without a fault after which its next occurrence counts as the first one again. */
const FORGOTTEN_AFTER = 60_000;
const MOST_FAULTS = 1000;

/**
 * Logs internal errors: of one that repeats the 1st, 10th, 100th, … time, with the number of times. Errors that differ in
 * ids and numbers alone are the same.
 */
export class FaultLog {
  readonly #logger: Logger;
  readonly #seen = new BoundedCache<string, { count: number; at: number }>(MOST_FAULTS);

  constructor(context = 'Thorn') {
    this.#logger = new Logger(context);
  }

  /** Logs what has failed and why, with where the error comes from, unless it repeats. */
  report(what: string, error: unknown, facts?: LogFacts): void {
    this.tell(`${what}: ${errorText(error)}`, facts, error);
  }

  /** Logs a fault in words that are known already, unless it repeats. @param error where it comes from */
  tell(text: string, facts?: LogFacts, error?: unknown): void {
    const count = this.#count(text);
    if (!isPowerOfTen(count)) return;
    const line = count === 1 ? text : `${text} (${count} times by now)`;
    this.#logger.error(facts === undefined ? line : new LogLine(line, facts), stackFrames(error));
  }

  #count(text: string): number {
    const now = performance.now();
    const key = withoutIds(text);
    const seen = this.#seen.get(key);
    const count = seen !== undefined && now - seen.at < FORGOTTEN_AFTER ? seen.count + 1 : 1;
    this.#seen.set(key, { count, at: now });
    return count;
  }
}

function withoutIds(text: string): string {
  return text.replaceAll(
    /\b(?:msg|dlv|sub)_\S+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\d+/g,
    '#',
  );
}

function isPowerOfTen(count: number): boolean {
  return /^10*$/.test(String(count));
}
