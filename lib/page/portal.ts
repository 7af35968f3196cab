import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ApiSettings, RegisteredPaths, showsPortalToken, takesPortalTokens } from '../api/index.js';
import { OptionChecks } from '../common/option-checks.js';
import { parseDuration } from '../common/time.js';
import { MessageFactory } from '../message/index.js';
import { CAPABILITIES, type Capability, PortalLinks } from '../portal/index.js';
import { PageSettings } from './page-options.js';

/** Options of {@link Portal.link}. */
export interface PortalLinkOptions {
  /** The owner whose endpoints the page shows, as `api.owner` returns it. */
  readonly owner: string;
  /** The rights of the holder. They must include `read`, which every screen needs. Default: `['read']`. */
  readonly capabilities?: readonly Capability[];
  /**
   * The time within which the link can be opened: milliseconds, or a text such as `15m`; at most seven days. Default:
   * ten minutes.
   */
  readonly expiresIn?: number | string;
  /** The screen that the link opens, for example `/endpoints/new`. Default: the first screen. */
  readonly next?: string;
}

/** A link that works once. */
export interface PortalLink {
  readonly id: string;
  /**
   * The URL of the page, with the code in its fragment, which browsers send to no server, so that no log shows it. Give
   * the URL to the owner only. It is absolute when the option `url` of the page, `api.baseUrl` or `baseUrl` is set;
   * else it is a path.
   */
  readonly url: string;
  /** The code of the link, for an embedding page that renews a session. */
  readonly code: string;
  readonly expiresAt: Date;
}

/** A link that was not opened yet, or the session that it was opened for. */
export interface OpenLink {
  readonly id: string;
  readonly capabilities: readonly Capability[];
  readonly createdAt: Date;
  /** The time at which the link was opened; null when it was not opened yet. */
  readonly openedAt: Date | null;
  readonly expiresAt: Date;
}

const WEEK = 7 * 24 * 60 * 60_000;
const TEN_MINUTES = 10 * 60_000;
const CHECK = new OptionChecks('portal.link()');

/**
 * Makes links to the page for owners who are not signed in to the application, for example on another site that shows
 * the page in a frame. A link works once. It opens a session of an hour, in the tab of the browser that has opened the
 * link.
 */
@Injectable()
export class Portal {
  constructor(
    private readonly links: PortalLinks,
    private readonly registered: RegisteredPaths,
    private readonly settings: PageSettings,
    private readonly api: ApiSettings,
    private readonly messages: MessageFactory,
  ) {}

  /** @throws `ThornConfigurationError` naming an option whose value is refused */
  async link(options: PortalLinkOptions): Promise<PortalLink> {
    CHECK.names(options, ['owner', 'capabilities', 'expiresIn', 'next']);
    const { owner, capabilities = ['read'], expiresIn = TEN_MINUTES, next } = options;
    checkOwner(CHECK, owner);
    CHECK.assert(
      'capabilities',
      Array.isArray(capabilities) &&
        capabilities.length > 0 &&
        capabilities.every((one) => CAPABILITIES.includes(one)),
      `must be a list of any of ${CAPABILITIES.join(', ')}`,
    );
    CHECK.assert(
      'capabilities',
      capabilities.includes('read'),
      "must hold 'read', which every screen needs",
    );
    const lifetime = typeof expiresIn === 'string' ? parseDuration(expiresIn) : expiresIn;
    CHECK.assert('expiresIn', lifetime !== null, 'must be milliseconds, or a text such as 15m');
    CHECK.integer('expiresIn', lifetime!, { max: WEEK, unit: 'milliseconds' });
    CHECK.assert(
      'next',
      next === undefined || (typeof next === 'string' && next.startsWith('/')),
      "must be a path of the page, for example '/endpoints/new'",
    );
    const distinct = [...new Set(capabilities)];
    const { id, code, expiresAt } = await this.links.create(owner, distinct, lifetime!);
    const fragment = new URLSearchParams({ code, ...(next !== undefined && { next }) });
    return {
      id,
      code,
      url: `${this.#url()}#${fragment.toString()}`,
      expiresAt: new Date(expiresAt),
    };
  }

  /**
   * Lists the links and sessions of an owner that have not expired, the oldest first.
   *
   * @throws `ThornConfigurationError` without an owner
   */
  async list({ owner }: { readonly owner: string }): Promise<readonly OpenLink[]> {
    checkOwner(new OptionChecks('Portal.list()'), owner);
    const links = await this.links.list(owner);
    return links.map(({ id, capabilities, createdAt, usedAt, expiresAt }) => ({
      id,
      capabilities,
      createdAt: new Date(createdAt),
      openedAt: usedAt === null ? null : new Date(usedAt),
      expiresAt: new Date(expiresAt),
    }));
  }

  /**
   * Ends the links and sessions of an owner, or the link or session with an id, at once.
   *
   * @returns the number of links and sessions that were ended
   * @throws `ThornConfigurationError` without an owner or an id: nothing was ended
   */
  async revoke(which: { readonly owner: string } | { readonly id: string }): Promise<number> {
    const check = new OptionChecks('Portal.revoke()');
    if ('id' in which) {
      check.assert(
        'id',
        typeof which.id === 'string' && which.id !== '',
        'must be the id of a link',
      );
    } else checkOwner(check, which.owner);
    return this.links.revoke(which);
  }

  /** The URL of the page. It is absolute where an option names the URL of the application, so that a mail can have the link. */
  #url(): string {
    if (this.settings.url !== undefined) return this.settings.url;
    const path = `${this.registered.pages[0] ?? ''}/`;
    const { baseUrl } = this.messages;
    if (this.api.baseUrl !== '' || baseUrl === undefined) return this.api.baseUrl + path;
    return new URL(path, baseUrl).href;
  }
}

// The owner must be given: without one, a store could read the condition as no condition, and list the links of all owners.
function checkOwner(check: OptionChecks, owner: unknown): void {
  check.assert(
    'owner',
    typeof owner === 'string' && owner !== '' && owner.length <= 255 && !owner.includes('\0'),
    "must be the user's id as a text",
  );
}

/**
 * Tells whether a guard of the application, bound with `APP_GUARD`, should let a request pass to Thorn: the request is
 * for the REST API and shows the token of a session. Thorn then checks the token, and answers 401 unless the token is
 * valid.
 *
 * @example
 * ```ts
 * if (isPortalRequest(context)) return true;
 * ```
 */
export function isPortalRequest(context: ExecutionContext): boolean {
  if (context.getType() !== 'http' || !takesPortalTokens(context.getHandler())) return false;
  return showsPortalToken(context.switchToHttp().getRequest());
}
