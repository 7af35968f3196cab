import type { RowOf } from '../database/schema/table-definition.js';
import { PORTAL_LINKS } from '../database/schema/thorn-tables.js';
import type { SqlTables } from '../database/sql-client.js';
import { TableRows } from '../database/table-rows.js';
import type { Capability, LinkStore, StoredLink } from './portal-links.js';

/** A row of `thorn_portal_links`. Its column `capabilities` has words with blanks between them. */
type LinkRow = RowOf<typeof PORTAL_LINKS>;

/** Keeps links in the table `thorn_portal_links`, so that every process of the application accepts them. */
export class DatabaseLinkStore implements LinkStore {
  readonly #rows: TableRows<LinkRow>;

  constructor(store: SqlTables) {
    this.#rows = new TableRows(store, store.table(PORTAL_LINKS.name));
  }

  async insert({ id, owner, ...link }: StoredLink, now: number): Promise<void> {
    await this.#rows.delete('expires_at <= ?', now);
    await this.#rows.insert({
      id,
      secret_hash: link.secretHash,
      owner,
      capabilities: link.capabilities.join(' '),
      created_at: link.createdAt,
      used_at: link.usedAt,
      expires_at: link.expiresAt,
    });
  }

  async exchange(
    codeHash: string,
    tokenHash: string,
    now: number,
    until: number,
  ): Promise<StoredLink | null> {
    const unused = 'secret_hash = ? AND used_at IS NULL AND expires_at > ?';
    const [row] = await this.#rows.select(unused, codeHash, now);
    if (row === undefined) return null;
    const session = { secret_hash: tokenHash, used_at: now, expires_at: until };
    const updated = await this.#rows.update(session, unused, codeHash, now);
    return updated > 0 ? linkOf(row) : null;
  }

  async session(tokenHash: string, now: number): Promise<StoredLink | null> {
    const used = 'secret_hash = ? AND used_at IS NOT NULL AND expires_at > ?';
    const [row] = await this.#rows.select(used, tokenHash, now);
    return row === undefined ? null : linkOf(row);
  }

  async list(owner: string, now: number): Promise<readonly StoredLink[]> {
    const current = 'owner = ? AND expires_at > ? ORDER BY created_at';
    return (await this.#rows.select(current, owner, now)).map(linkOf);
  }

  remove(which: { readonly owner: string } | { readonly id: string }): Promise<number> {
    return 'id' in which
      ? this.#rows.delete('id = ?', which.id)
      : this.#rows.delete('owner = ?', which.owner);
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
