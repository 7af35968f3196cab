import { PORTAL_LINKS } from '../database/schema/thorn-tables.js';
import { readRows, type SqlTables } from '../database/sql-client.js';
import {
  deleteExpiredLinks,
  deleteLink,
  deleteLinksOf,
  insertLink,
  type LinkRow,
  selectLinksOf,
  selectSession,
  selectUnusedLink,
  useLink,
} from './link-statements.js';
import type { Capability, LinkStore, StoredLink } from './portal-links.js';

/** Keeps links in the table `thorn_portal_links`, so that every process of the application accepts them. */
export class DatabaseLinkStore implements LinkStore {
  readonly #table: string;

  constructor(private readonly store: SqlTables) {
    this.#table = store.table(PORTAL_LINKS.name);
  }

  async insert({ id, owner, ...link }: StoredLink, now: number): Promise<void> {
    await this.store.run(deleteExpiredLinks(this.#table, now));
    const row = {
      id,
      secret_hash: link.secretHash,
      owner,
      capabilities: link.capabilities.join(' '),
      created_at: link.createdAt,
      used_at: link.usedAt,
      expires_at: link.expiresAt,
    };
    await this.store.run(insertLink(this.#table, row));
  }

  async exchange(
    codeHash: string,
    tokenHash: string,
    now: number,
    until: number,
  ): Promise<StoredLink | null> {
    const [row] = await readRows(this.store, selectUnusedLink(this.#table, codeHash, now));
    if (row === undefined) return null;
    const use = useLink(this.#table, codeHash, { tokenHash, now, until });
    const { affected } = await this.store.run(use);
    return affected > 0 ? linkOf(row) : null;
  }

  async session(tokenHash: string, now: number): Promise<StoredLink | null> {
    const [row] = await readRows(this.store, selectSession(this.#table, tokenHash, now));
    return row === undefined ? null : linkOf(row);
  }

  async list(owner: string, now: number): Promise<readonly StoredLink[]> {
    return (await readRows(this.store, selectLinksOf(this.#table, owner, now))).map(linkOf);
  }

  async remove(which: { readonly owner: string } | { readonly id: string }): Promise<number> {
    const removal =
      'id' in which ? deleteLink(this.#table, which.id) : deleteLinksOf(this.#table, which.owner);
    return (await this.store.run(removal)).affected;
  }
}

function linkOf({ id, owner, ...row }: LinkRow): StoredLink {
  return {
    id,
    secretHash: row.secret_hash,
    owner,
    capabilities: row.capabilities.split(' ') as Capability[],
    createdAt: Number(row.created_at),
    usedAt: row.used_at === null ? null : Number(row.used_at),
    expiresAt: Number(row.expires_at),
  };
}
