import { InvalidInputError } from '../errors/index.js';
import type { RecipientRules } from './recipient-rules.js';
import { checkRetrySettings, type RetrySettings } from './retry-settings.js';

/** Settings of an event that travel with each of its messages; plain JSON. */
export interface MessageSettings {
  /** Deadline of one whole request in milliseconds, the answer's body included. */
  readonly timeout?: number;
  /** Whether the connection may serve several requests. Default true. */
  readonly keepAlive?: boolean;
  /** How often deliveries are tried again. Default: what the retry policy says. */
  readonly retry?: RetrySettings;
  /** Where these messages may go, laid over the module's `recipients`. Default: those alone. */
  readonly recipients?: RecipientRules;
}

/** The names of {@link MessageSettings}, for whoever refuses unknown ones. */
export const MESSAGE_SETTINGS = ['timeout', 'keepAlive', 'retry', 'recipients'] as const;

/** The message settings among other options; none that is undefined. */
export function messageSettings(options: MessageSettings): MessageSettings {
  const given = MESSAGE_SETTINGS.filter((name) => options[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, options[name]]));
}

/** @throws {@link InvalidInputError} naming the setting that makes no sense */
export function checkMessageSettings({
  timeout,
  keepAlive,
  retry,
  recipients,
}: MessageSettings): void {
  if (timeout !== undefined && !(Number.isInteger(timeout) && timeout > 0)) {
    throw new InvalidInputError('timeout', 'must be a positive whole number of milliseconds');
  }
  if (keepAlive !== undefined && typeof keepAlive !== 'boolean') {
    throw new InvalidInputError('keepAlive', 'must be true or false');
  }
  if (retry !== undefined) checkRetrySettings(retry);
  if (
    recipients !== undefined &&
    (typeof recipients !== 'object' || recipients === null || Array.isArray(recipients))
  ) {
    throw new InvalidInputError('recipients', 'must be an object such as { allowCidrs: [...] }');
  }
}
