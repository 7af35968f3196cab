import type { LinkStore, StoredLink } from './portal-links.js';

/** Keeps links in the memory of this process, for applications without a database. Another process does not accept them. */
export class InMemoryLinkStore implements LinkStore {
  readonly #links = new Map<string, StoredLink>();

  async insert(link: StoredLink, now: number): Promise<void> {
    for (const { secretHash, expiresAt } of this.#links.values()) {
      if (expiresAt <= now) this.#links.delete(secretHash);
    }
    this.#links.set(link.secretHash, link);
  }

  async exchange(
    codeHash: string,
    tokenHash: string,
    now: number,
    until: number,
  ): Promise<StoredLink | null> {
    const link = this.#links.get(codeHash);
    if (link === undefined || link.usedAt !== null || link.expiresAt <= now) return null;
    this.#links.delete(codeHash);
    this.#links.set(tokenHash, { ...link, secretHash: tokenHash, usedAt: now, expiresAt: until });
    return link;
  }

  async session(tokenHash: string, now: number): Promise<StoredLink | null> {
    const link = this.#links.get(tokenHash);
    return link === undefined || link.usedAt === null || link.expiresAt <= now ? null : link;
  }

  async list(owner: string, now: number): Promise<readonly StoredLink[]> {
    return [...this.#links.values()].filter((link) => link.owner === owner && link.expiresAt > now);
  }

  async remove(which: { readonly owner: string } | { readonly id: string }): Promise<number> {
    const found = [...this.#links.values()].filter((link) =>
      'id' in which ? link.id === which.id : link.owner === which.owner,
    );
    for (const { secretHash } of found) this.#links.delete(secretHash);
    return found.length;
  }
}
