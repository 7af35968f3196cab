import { InvalidInputError } from '../errors/index.js';
import type { RecipientRules } from './recipient-rules.js';
import { checkRetrySettings, type RetrySettings } from './retry-settings.js';

/** Settings of an event that travel with each of its messages; plain JSON. */
export interface MessageSettings {
  /** Timeout of one whole request in milliseconds, the response body included. */
  readonly timeout?: number;
  /** False: every request opens a connection of its own. Default true. */
  readonly keepAlive?: boolean;
  /** Number and delay of retries. Default: those of the retry policy. */
  readonly retry?: RetrySettings;
  /** Rules for recipients that replace the module's; `denyCidrs` are added to the module's. Default: none more. */
  readonly recipients?: RecipientRules;
  /**
   * True: messages are stored even when nobody is subscribed to the event, so that a later backfill finds them. Default:
   * the module's option `keep`.
   */
  readonly keep?: boolean;
  /**
   * True: the body has the properties `key` and `sequence` of a message with a key, so that they are signed. Default: the
   * module's option `orderInBody`.
   */
  readonly orderInBody?: boolean;
}

/** The names of {@link MessageSettings}, for checks that refuse unknown ones. */
export const MESSAGE_SETTINGS = [
  'timeout',
  'keepAlive',
  'retry',
  'recipients',
  'keep',
  'orderInBody',
] as const;

/** Picks the message settings that are defined from among other options. */
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
  keep,
  orderInBody,
}: MessageSettings): void {
  if (timeout !== undefined && !(Number.isInteger(timeout) && timeout > 0)) {
    throw new InvalidInputError('timeout', 'must be a positive whole number of milliseconds');
  }
  if (keepAlive !== undefined && typeof keepAlive !== 'boolean') {
    throw new InvalidInputError('keepAlive', 'must be true or false');
  }
  if (keep !== undefined && typeof keep !== 'boolean') {
    throw new InvalidInputError('keep', 'must be true or false');
  }
  if (orderInBody !== undefined && typeof orderInBody !== 'boolean') {
    throw new InvalidInputError('orderInBody', 'must be true or false');
  }
  if (retry !== undefined) checkRetrySettings(retry);
  if (
    recipients !== undefined &&
    (typeof recipients !== 'object' || recipients === null || Array.isArray(recipients))
  ) {
    throw new InvalidInputError('recipients', 'must be an object such as { allowCidrs: [...] }');
  }
}
