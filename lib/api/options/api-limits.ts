import { OptionChecks } from '../../common/option-checks.js';

/** The limits that the REST API sets for one caller. */
export interface ApiLimits {
  /** Subscribers of one owner; `Infinity` for any number. Subscribers without an owner are never limited. Default 100. */
  readonly subscribersPerOwner?: number;
  /** Subscribers of one owner that are on the same host; `Infinity` for any number. Default 10. */
  readonly subscribersPerHost?: number;
  /** Tests and challenges that an owner may send in a minute, by each process; `Infinity` for any number. Default 10. */
  readonly testsPerMinute?: number;
  /**
   * The greatest number of deliveries to a subscriber in a minute. If it is finite, the `rateLimit` of a subscriber may
   * not be higher, and a subscriber without a `rateLimit` gets this limit. Default `Infinity`: a subscriber may have no
   * limit.
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

/** @throws {@link ThornConfigurationError} that names the limit and says how to fix it */
export function apiLimits(given: ApiLimits = {}): Required<ApiLimits> {
  new OptionChecks('', 'api.').object('limits', given, Object.keys(DEFAULTS));
  const limits = { ...DEFAULTS, ...given };
  const check = new OptionChecks('', 'api.limits.');
  for (const [name, value] of Object.entries(limits)) {
    check.integer(name, value, { orInfinity: name !== 'bodyBytes' });
  }
  return limits;
}
