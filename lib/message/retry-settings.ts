import { InvalidInputError } from '../errors/index.js';

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
