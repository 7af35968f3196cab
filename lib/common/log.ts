import { inspect, types } from 'node:util';
import { Logger } from '@nestjs/common';
import { BoundedCache } from './collections.js';

const SHOWN = 3;

/** Ids, for one line of a log. */
export function listIds(ids: readonly string[]): string {
  const shown = ids.slice(0, SHOWN);
  return shown.join(', ') + (ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : '');
}

/** The named facts of a log line; see `docs/observability.md`. Never contains a secret, and only the host of a URL. */
export interface LogFacts {
  readonly messageId?: string;
  /** At most ten, where a line is about several. */
  readonly messageIds?: readonly string[];
  readonly deliveryId?: string;
  /** At most ten, where a line is about several. */
  readonly deliveryIds?: readonly string[];
  readonly subscriberId?: string;
  /** Name of the message's event. */
  readonly event?: string;
  /** Host and port. */
  readonly host?: string;
  /** A word of the library's own. */
  readonly reason?: string;
}

export const MOST_IDS = 10;

/**
 * A log line about a message, a delivery or a subscriber. It has a sentence for people and fields for programs. Nest's
 * `ConsoleLogger` prints the sentence (it calls `inspect`), and with `json: true` the fields, on Nest 11 and 12.
 * Loggers that merge objects into their records, such as pino and winston, take the fields.
 */
export class LogLine {
  /** The sentence. */
  readonly message: string;

  constructor(message: string, facts: LogFacts) {
    this.message = message;
    Object.assign(this, facts);
  }

  toString(): string {
    return this.message;
  }

  [inspect.custom](): string {
    return this.message;
  }
}

const MAX_LENGTH = 500;

/** Formats an error for one line of a log, without stack, secrets, and the queries and credentials of URLs. */
export function errorText(error: unknown): string {
  const text = isError(error) ? error.message || error.name : error;
  if (typeof text !== 'string') return 'a value was thrown that is not an error';
  return text
    .replaceAll(/\?[^\s"'<>)\]]+/g, '')
    .replaceAll(/\/\/[^\s/@]+@/g, '//')
    .replaceAll(/\b(wh(?:sec|sk)_)[\w+/=-]+/g, '$1…')
    .replaceAll(/\s+/g, ' ')
    .slice(0, MAX_LENGTH);
}

/**
 * Returns only the frames of an error's stack, for a log. A full stack repeats the unredacted messages of the error and
 * its causes; use {@link errorText} for the message.
 */
export function stackFrames(error: unknown): string | undefined {
  if (!isError(error) || typeof error.stack !== 'string') return undefined;
  // The message comes first and may have lines that look like frames.
  const message = String(error.message);
  const at = message === '' ? -1 : error.stack.indexOf(message);
  const rest = at === -1 ? error.stack : error.stack.slice(at + message.length);
  const frames = rest.split('\n').filter((line) => /^\s+at \S/.test(line));
  return frames.length === 0 ? undefined : frames.join('\n');
}

/**
 * `instanceof` is not enough: in Jest, Node's own errors belong to another realm than the errors of the application.
 */
function isError(error: unknown): error is Error {
  return error instanceof Error || types.isNativeError(error);
}

const SHOWN_NAMES = 20;

/** Names for an error's text: the first twenty, and how many more there are. */
export function shownNames(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : '';
  return names.slice(0, SHOWN_NAMES).join(', ') + more;
}

/** Milliseconds without a fault after which its next occurrence counts as the first one again. */
const FORGOTTEN_AFTER = 60_000;
const MOST_FAULTS = 1000;

/**
 * Logs internal errors. An error that repeats is logged the 1st, 10th, 100th, … time, with the number of times. Errors that
 * differ only in ids and numbers count as one.
 */
export class FaultLog {
  readonly #logger: Logger;
  readonly #seen = new BoundedCache<string, { count: number; at: number }>(MOST_FAULTS);

  constructor(context = 'Thorn') {
    this.#logger = new Logger(context);
  }

  /** Logs the work that has failed, with the error and its stack, unless the same line was logged shortly before. */
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
