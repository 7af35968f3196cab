import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../common/index.js';

/** Everything that the holder of a link may be allowed to do. */
export const CAPABILITIES: readonly Capability[] = ['read', 'write', 'secrets', 'test', 'retry'];

/**
 * A right of a link's holder. `read`: see endpoints and deliveries. `write`: change endpoints. `secrets`: set and
 * rotate secrets; with `write` also add endpoints, since the answer shows the secret of the new endpoint. `test`: send
 * tests. `retry`: send deliveries again and cancel them.
 */
export type Capability = 'read' | 'write' | 'secrets' | 'test' | 'retry';

/**
 * A link as it is stored. It has only hashes of the code and of the token, so that nobody can use the link who reads
 * the table.
 */
export interface StoredLink {
  readonly id: string;
  readonly secretHash: string;
  readonly owner: string;
  readonly capabilities: readonly Capability[];
  readonly createdAt: number;
  readonly usedAt: number | null;
  readonly expiresAt: number;
}

/** A session: the holder of its token acts for the owner within the capabilities. */
export type PortalSession = Pick<StoredLink, 'owner' | 'capabilities' | 'expiresAt'>;

/** The lifetime of a session in milliseconds. */
const SESSION = 60 * 60_000;
const CODE = 'tpc_';
const TOKEN = 'tpt_';

/** Stores the links, in a table or in memory. */
export interface LinkStore {
  insert(link: StoredLink, now: number): Promise<void>;
  /**
   * Turns an unused link that has not expired into a session.
   * @returns the link as it was before, or null. Only one of several calls gets the link
   */
  exchange(
    codeHash: string,
    tokenHash: string,
    now: number,
    until: number,
  ): Promise<StoredLink | null>;
  /** Finds a session that has not expired. */
  session(tokenHash: string, now: number): Promise<StoredLink | null>;
  /** Lists the links and sessions that have not expired, the oldest first. */
  list(owner: string, now: number): Promise<readonly StoredLink[]>;
  /** @returns the number of links and sessions that were removed */
  remove(which: { readonly owner: string } | { readonly id: string }): Promise<number>;
}

/** Links to the page that work once, and the sessions that they are exchanged for. */
export class PortalLinks {
  constructor(
    private readonly store: LinkStore,
    private readonly clock: Clock,
  ) {}

  /** @returns the code; it is stored as a hash, and cannot be shown again */
  async create(
    owner: string,
    capabilities: readonly Capability[],
    lifetime: number,
  ): Promise<{ readonly id: string; readonly code: string; readonly expiresAt: number }> {
    const now = this.clock.now();
    const code = CODE + randomBytes(32).toString('base64url');
    const id = `lnk_${randomBytes(16).toString('hex')}`;
    const expiresAt = now + lifetime;
    const link = { id, owner, capabilities, createdAt: now, usedAt: null, expiresAt };
    await this.store.insert({ ...link, secretHash: hashOf(code) }, now);
    return { id, code, expiresAt };
  }

  /** @returns null for a code that is unknown, used or expired */
  async exchange(code: string): Promise<(PortalSession & { readonly token: string }) | null> {
    if (!code.startsWith(CODE)) return null;
    const now = this.clock.now();
    const token = TOKEN + randomBytes(32).toString('base64url');
    const expiresAt = now + SESSION;
    const link = await this.store.exchange(hashOf(code), hashOf(token), now, expiresAt);
    if (link === null) return null;
    const { owner, capabilities } = link;
    return { token, owner, capabilities, expiresAt };
  }

  /** @returns null for a token that is unknown, revoked or expired */
  async session(token: string): Promise<PortalSession | null> {
    return this.store.session(hashOf(token), this.clock.now());
  }

  list(owner: string): Promise<readonly StoredLink[]> {
    return this.store.list(owner, this.clock.now());
  }

  revoke(which: { readonly owner: string } | { readonly id: string }): Promise<number> {
    return this.store.remove(which);
  }
}

/**
 * Tells the token of a session from any other value of the header `Authorization`, such as a token of the application
 * itself.
 */
export function isPortalToken(value: string): boolean {
  return value.startsWith(TOKEN);
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
