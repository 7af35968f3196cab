import { OptionChecks } from '../common/option-checks.js';
import type { McpErrorCodes } from './mcp-events.error.js';
import type { McpArguments } from './offered-event.js';

/** The proof of who calls, as the guard or middleware that set `req.auth` has left it. */
export interface McpAuthInfo {
  readonly clientId?: string;
  readonly scopes?: readonly string[];
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The second argument of an SDK's handlers: `authInfo` is of `@modelcontextprotocol/sdk` 1, `http` of `server` 2. */
export interface McpContext {
  readonly authInfo?: McpAuthInfo | undefined;
  readonly http?:
    { readonly authInfo?: McpAuthInfo | undefined; readonly req?: Request | undefined } | undefined;
}

/** A request as an SDK gives it to handlers. */
export interface McpRequest {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** The part of an SDK's `McpServer` that events need. The servers of both major versions fit. */
export interface McpServerLike {
  readonly server: {
    /** The handler of methods without one of their own, which the SDK leaves to its users. */
    fallbackRequestHandler?(request: McpRequest, context: McpContext): Promise<object>;
    registerCapabilities(capabilities: object): void;
  };
}

/** Options of `McpEventsModule.forRoot()`. */
export interface McpEventsOptions {
  /**
   * Returns the user behind a request, a text of up to 255 characters, from the context that the SDK gives to handlers.
   * Without one the request is refused. Default: `authInfo.extra.sub`. Never the client's id: all users of a client share it.
   */
  readonly principal?: (
    context: McpContext,
  ) => string | null | undefined | Promise<string | null | undefined>;
  /**
   * Returns the owner that subscriptions of a principal belong to, as `owner` of the REST API; null refuses the request.
   * Default: the principal.
   */
  readonly owner?: (principal: string) => string | null | Promise<string | null>;
  /**
   * Tells whether a principal may subscribe to an event with these arguments; with null, whether the principal may know of
   * the event. Messages without an owner go to every subscription that matches. Default: yes, to all that subscribers may get.
   */
  readonly authorize?: (
    principal: string,
    event: string,
    args: McpArguments | null,
  ) => boolean | Promise<boolean>;
  /**
   * Milliseconds that a subscription lives without a refresh when its client asks for no time; 60,000 to 86,400,000, which
   * are also the limits of the times that clients get. Default 3,600,000: an hour.
   */
  readonly ttl?: number;
  /** Most live subscriptions of one principal. Default 100. */
  readonly maxSubscriptions?: number;
  /** The numbers of errors. Default `sketch`, which most clients know; `sep` for those of SEP-3415. */
  readonly errorCodes?: McpErrorCodes;
}

/** The shortest and the longest life of a subscription without a refresh, in milliseconds. */
export const TTL = { min: 60_000, max: 86_400_000, unit: 'milliseconds' } as const;

const NAMES = ['principal', 'owner', 'authorize', 'ttl', 'maxSubscriptions', 'errorCodes'];

/** The options with their defaults. */
export type McpSettings = Required<McpEventsOptions>;

/** Returns the options with their defaults. @throws {@link ThornConfigurationError} naming what makes no sense */
export function mcpSettings(options: McpEventsOptions): McpSettings {
  const check = new OptionChecks('McpEventsModule.forRoot()');
  check.names(options, NAMES);
  const { principal = subjectOf, owner = (one: string) => one, authorize = () => true } = options;
  const { ttl = 3_600_000, maxSubscriptions = 100, errorCodes = 'sketch' } = options;
  check.function('principal', principal, 'like (context) => context.http?.authInfo?.extra?.sub');
  check.function('owner', owner, 'like (principal) => principal');
  check.function('authorize', authorize, 'like (principal, event, args) => true');
  check.integer('ttl', ttl, TTL);
  check.integer('maxSubscriptions', maxSubscriptions);
  check.oneOf('errorCodes', errorCodes, ['sketch', 'sep']);
  return { principal, owner, authorize, ttl, maxSubscriptions, errorCodes };
}

function subjectOf({ authInfo, http }: McpContext): string | null {
  const sub = (authInfo ?? http?.authInfo)?.extra?.['sub'];
  return typeof sub === 'string' ? sub : null;
}
