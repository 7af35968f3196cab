import { inspect } from 'node:util';

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
 * A line of the log that is about a message, a delivery or a subscriber: a sentence for who reads text, fields for what
 * reads JSON. Nest's `ConsoleLogger` writes what `inspect` says of it, and with `json: true` the fields, on 11 and 12;
 * loggers that merge objects into their records, such as those over pino and winston, take the fields.
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
