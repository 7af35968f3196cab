/** Digests that `Hook-HMAC` may be made with, as in Thorn. */
export type Digest = 'sha1' | 'sha256' | 'sha512';

/** One signing secret. During a rotation a subscriber has several that are valid at the same time. */
export interface Secret {
  /** `whsec_` and base64, or any text of at least 16 characters. Never log it. */
  readonly value: string;
  /** Time from which the secret no longer signs, in milliseconds since the Unix epoch; null for never. */
  readonly expiresAt: number | null;
}

/** The number of attempts that may begin in a period of a given length, over all processes. They are spaced evenly. */
export interface RateLimit {
  /** Attempts: 1 to 1,000,000. */
  readonly max: number;
  /** Milliseconds: 1,000 to 3,600,000. */
  readonly per: number;
}

/**
 * The credentials that each request to an endpoint carries in its header `Authorization`.
 *
 * - `bearer`: `Bearer` and the token.
 * - `basic`: `Basic` and the base64 of username and password.
 * - `oauth2`: `Bearer` and an access token of the token endpoint `tokenUrl`, which is asked for by client credentials
 *   (RFC 6749, 4.4; the client authenticates by HTTP Basic). Deliveries share a token until shortly before it ends.
 */
export type EndpointAuth =
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | OAuth2Auth;

/** Client credentials of OAuth 2.0; see {@link EndpointAuth}. */
export interface OAuth2Auth {
  readonly type: 'oauth2';
  /** The token endpoint. The recipient policy has to allow it, as it has to allow the URL of the subscriber. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Scopes with blanks between them. Default: the token request names none. */
  readonly scope?: string;
}

/** The part of a subscriber that a delivery needs: URL, content type, secrets, rate limit and order. */
export interface Recipient {
  /** Id of the subscriber, sent as `Hook-Subscription`. */
  readonly id: string;
  /** Where webhooks go. */
  readonly url: string;
  /** Media type of the body, one that a codec is registered for. */
  readonly contentType: string;
  /** The name of the `WebhookFormat` that makes its requests. Default null: Standard Webhooks. */
  readonly format?: string | null;
  /** Free-form texts of the owner's, for the format. Default none. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Messages in which none of these fields has changed are not sent. Default null: all are sent. */
  readonly changed?: readonly string[] | null;
  /** Dotted paths: the body has no more of `data` than these. Default null: all of it. */
  readonly fields?: readonly string[] | null;
  /** True: the body has no data but the URL at which the receiver can fetch it. Default false. */
  readonly thin?: boolean;
  /** JSON in which `{{path}}` stands for values of the body, and which is sent in its place. Default null: none. */
  readonly template?: string | null;
  /** Digest of `Hook-HMAC`, where requests carry it. */
  readonly digest: Digest;
  /** Newest first. */
  readonly secrets: readonly Secret[];
  /** Attempts over this rate wait. Default: no limit. */
  readonly rateLimit?: RateLimit | null;
  /** True: messages of the same key are delivered one after another, in the order of their sequence. Default false. */
  readonly ordered?: boolean;
  /**
   * How deliveries of a key continue after one of them has failed for good, for an ordered subscriber. `skip`: with the
   * next message of the key. `hold`: not until somebody retries or cancels the failed delivery. Default `skip`.
   */
  readonly onExhausted?: 'skip' | 'hold';
  /** Milliseconds after which a key that is held goes on by itself; null for never. Default null. */
  readonly holdFor?: number | null;
  /** From then on nothing is sent to it. Default null: no end. */
  readonly expiresAt?: Date | null;
  /** Headers of its own, by name, that each request carries. Never log their values. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What each request authenticates itself with at the endpoint. Never log it. Default null: nothing. */
  readonly auth?: EndpointAuth | null;
  /** Milliseconds that a request may take. Default null: those of the event, else those of the module. */
  readonly timeout?: number | null;
}

/** A subscriber that the application declares in its code or settings instead of storing it. */
export interface StaticSubscriber {
  readonly url: string;
  /** `whsec_…` or a text of at least 16 characters. Without one its deliveries are not signed. */
  readonly secret?: string;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** The name of a registered `WebhookFormat`. Default `standard`. */
  readonly format?: string;
  /** Names of fields: messages in which none of them has changed are not sent. Default null: all are sent. */
  readonly changed?: readonly string[] | null;
  /** Dotted paths of `data`: the body has no more of it than these. Default null: all of it. */
  readonly fields?: readonly string[] | null;
  /**
   * True: the body has no data but the URL at which it can be fetched. Needs the option `shapes.url`, a secret, and a strategy
   * that stores messages. Default false.
   */
  readonly thin?: boolean;
  /** JSON in which `{{path}}` stands for values of the body. Needs the option `shapes.templates`. Default null: none. */
  readonly template?: string | null;
  /** Digest of `Hook-HMAC`. Default `sha256`. */
  readonly digest?: Digest;
  /** Attempts over this rate wait. Default: no limit. */
  readonly rateLimit?: RateLimit | null;
  /** True: messages of the same key are delivered one after another. Default false. */
  readonly ordered?: boolean;
  /** Whether the next message of a key goes after one that failed for good. Default `skip`. */
  readonly onExhausted?: Recipient['onExhausted'];
  /**
   * With `hold`: milliseconds after which deliveries of the key continue without anybody's help. Default null: never.
   */
  readonly holdFor?: number | null;
  /** Headers that each request carries: up to 20, with up to 4,096 bytes of names and values. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | null;
  /** What each request authenticates itself with at the endpoint. Default null: nothing. */
  readonly auth?: EndpointAuth | null;
  /** Milliseconds that a request may take: 1,000 to 30,000. Default null: those of the event, else those of the module. */
  readonly timeout?: number | null;
}

/** Tells whether a recipient's end has passed. @param now milliseconds since the Unix epoch */
export function hasEnded({ expiresAt }: Pick<Recipient, 'expiresAt'>, now: number): boolean {
  return expiresAt !== undefined && expiresAt !== null && expiresAt.getTime() <= now;
}

/** Caches host and port of recipients for as long as the repository hands out the same object. */
export class HostCache {
  readonly #hosts = new WeakMap<Recipient, string>();

  of(recipient: Recipient): string {
    let host = this.#hosts.get(recipient);
    if (host === undefined) {
      host = hostOf(recipient);
      this.#hosts.set(recipient, host);
    }
    return host;
  }
}

/** Returns a URL as others than its owner may see it: without its query, which may hold a token. */
export function withoutQuery(url: string): string {
  if (!URL.canParse(url)) return NO_HOST;
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** Stands in for the host of a recipient without a valid URL. */
export const NO_HOST = '-';

/** Returns host and port of a recipient's URL. Deliveries wait by host, and logs show no more of the URL. */
export function hostOf({ url }: Pick<Recipient, 'url'>): string {
  return URL.canParse(url) ? new URL(url).host : NO_HOST;
}

/** Rules for recipients, as plain JSON: the options of the default recipient policy, and of single events. */
export interface RecipientRules {
  /** True: `https` alone. Default false. */
  readonly requireHttps?: boolean;
  /** Ports that may be used. `any` allows all ports except the ports that browsers refuse. Default 80 and 443. */
  readonly allowedPorts?: readonly number[] | 'any';
  /**
   * Networks that are allowed although they are not public, in exact CIDR notation: `10.1.0.0/16`. A network that
   * contains `127.0.0.1` or `::1` allows names such as `localhost` too. Any network allows the names of private
   * networks (`.internal`, `.local`, `.home.arpa`). The addresses that a name resolves to are still checked.
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
