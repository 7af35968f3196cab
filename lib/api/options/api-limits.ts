import { ThornConfigurationError } from '../../errors/index.js';

/** The limits that the REST API sets for one caller. */
export interface ApiLimits {
  /** Subscribers of one owner; `Infinity` for any number. Those without an owner are never limited. Default 100. */
  readonly subscribersPerOwner?: number;
  /** Subscribers of one owner that are on the same host; `Infinity` for any number. Default 10. */
  readonly subscribersPerHost?: number;
  /** Tests and challenges that one owner may send in a minute, by each process; `Infinity` for any number. Default 10. */
  readonly testsPerMinute?: number;
  /**
   * The greatest number of deliveries to a subscriber in a minute. If finite, a `rateLimit` may be lower, not higher,
   * and a subscriber without one gets this. Default `Infinity`: a subscriber may have no limit.
   */
  readonly deliveriesPerMinute?: number;
  /** Bytes of a request's body. The platform has a limit of its own, 100 KiB on Express by default. Default 65,536. */
  readonly bodyBytes?: number;
}

const DEFAULTS: Required<ApiLimits> = {
  subscribersPerOwner: 100,
  subscribersPerHost: 10,
  testsPerMinute: 10,
  deliveriesPerMinute: Number.POSITIVE_INFINITY,
  bodyBytes: 65_536,
};

/** @throws {@link ThornConfigurationError} naming the limit and its fix */
export function apiLimits(given: ApiLimits = {}): Required<ApiLimits> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ThornConfigurationError('The option api.limits must be an object of numbers.');
  }
  const limits = { ...DEFAULTS, ...given };
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      throw new ThornConfigurationError(
        `The option api.limits.${name} is unknown; known are ${Object.keys(DEFAULTS).join(', ')}.`,
        { option: `api.limits.${name}` },
      );
    }
    const isEndless = value === Number.POSITIVE_INFINITY && name !== 'bodyBytes';
    if (isEndless || (Number.isSafeInteger(value) && Number(value) > 0)) continue;
    throw new ThornConfigurationError(
      `The option api.limits.${name} must be a whole number above 0${name === 'bodyBytes' ? '' : ', or Infinity'}.`,
      { option: `api.limits.${name}`, value },
    );
  }
  return limits;
}
