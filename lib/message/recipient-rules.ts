/** Rules for recipients, as plain JSON: the options of the default recipient policy, and of single events. */
export interface RecipientRules {
  /** True: `https` alone. Default false. */
  readonly requireHttps?: boolean;
  /** Ports that may be used; `any` leaves out only those that browsers refuse. Default 80 and 443. */
  readonly allowedPorts?: readonly number[] | 'any';
  /**
   * Networks that are allowed though they are not public, in exact CIDR notation: `10.1.0.0/16`. One that covers
   * `127.0.0.1` or `::1` allows names such as `localhost` as well, and any at all the names of private networks
   * (`.internal`, `.local`, `.home.arpa`); the addresses that they resolve to are still checked.
   */
  readonly allowCidrs?: readonly string[];
  /** Networks that are refused although they are public, or allowed by `allowCidrs`; in exact CIDR notation. */
  readonly denyCidrs?: readonly string[];
}

/**
 * The module's option `recipients`: rules, or `development` for this machine and private networks on every port, which
 * is refused at start-up where `NODE_ENV` is `production`.
 */
export type RecipientsOption = RecipientRules | 'development';
