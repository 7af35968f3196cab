import { InvalidInputError } from '../errors/index.js';
import type { RecipientRules } from './recipient.js';

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
   * True: messages are stored even when nobody subscribes to the event, so that a later backfill finds them. Default:
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

/**
 * Number and delay of retries for the deliveries of one event, in place of the retry policy's own; plain JSON. False:
 * one attempt and no more.
 *
 * @example
 * ```ts
 * @WebhookEvent<Order>('order.paid', { on: 'create', retry: { max: 10, delay: 60_000 } })
 * @WebhookEvent<Price>('price.ticked', { on: 'change', retry: false })
 * ```
 */
export type RetrySettings =
  | false
  | {
      /** Retries at most, after the first attempt; 0 to 100. Default: as many as the policy makes. */
      readonly max?: number;
      /** Milliseconds between two attempts, up to 30 days. Default: the policy's own schedule. */
      readonly delay?: number;
    };

/** Most retries that {@link RetrySettings} can ask for. */
export const MAX_RETRIES = 100;
/** Longest delay that {@link RetrySettings} can ask for: 30 days in milliseconds. */
export const MAX_RETRY_DELAY = 30 * 24 * 60 * 60_000;

/** @throws {@link InvalidInputError} naming the part that makes no sense: `retry`, `retry.max` or `retry.delay` */
export function checkRetrySettings(settings: unknown): asserts settings is RetrySettings {
  if (settings === false) return;
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new InvalidInputError('retry', 'must be false or an object of max and delay');
  }
  const { max, delay, ...others } = settings as { max?: unknown; delay?: unknown };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new InvalidInputError(`retry.${unknown}`, 'is unknown. Valid names: max, delay');
  }
  if (max !== undefined && !isWholeUpTo(max, MAX_RETRIES)) {
    throw new InvalidInputError('retry.max', `must be a whole number from 0 to ${MAX_RETRIES}`);
  }
  if (delay !== undefined && !isWholeUpTo(delay, MAX_RETRY_DELAY)) {
    throw new InvalidInputError(
      'retry.delay',
      `must be a whole number of milliseconds from 0 to ${MAX_RETRY_DELAY}`,
    );
  }
}

function isWholeUpTo(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}
