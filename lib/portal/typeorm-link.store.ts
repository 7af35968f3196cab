import { type DataSource, IsNull, LessThanOrEqual, MoreThan, Not, type Repository } from 'typeorm';
import { ThornPortalLink } from './portal-link.entity.js';
import type { Capability, LinkStore, StoredLink } from './portal-links.js';

/** Keeps links in the table `thorn_portal_links`, for all processes. */
export class TypeOrmLinkStore implements LinkStore {
  constructor(private readonly dataSource: DataSource) {}

  async insert(link: StoredLink, now: number): Promise<void> {
    await this.#rows.delete({ expiresAt: LessThanOrEqual(now) });
    await this.#rows.insert({ ...link, capabilities: link.capabilities.join(' ') });
  }

  async exchange(
    codeHash: string,
    tokenHash: string,
    now: number,
    until: number,
  ): Promise<StoredLink | null> {
    const unused = { secretHash: codeHash, usedAt: IsNull(), expiresAt: MoreThan(now) };
    const row = await this.#rows.findOneBy(unused);
    if (row === null) return null;
    const { affected } = await this.#rows.update(unused, {
      secretHash: tokenHash,
      usedAt: now,
      expiresAt: until,
    });
    return affected === 1 ? linkOf(row) : null;
  }

  async session(tokenHash: string, now: number): Promise<StoredLink | null> {
    const row = await this.#rows.findOneBy({
      secretHash: tokenHash,
      usedAt: Not(IsNull()),
      expiresAt: MoreThan(now),
    });
    return row === null ? null : linkOf(row);
  }

  async list(owner: string, now: number): Promise<readonly StoredLink[]> {
    const rows = await this.#rows.find({
      where: { owner, expiresAt: MoreThan(now) },
      order: { createdAt: 'ASC' },
    });
    return rows.map(linkOf);
  }

  async remove(which: { readonly owner: string } | { readonly id: string }): Promise<number> {
    const { affected } = await this.#rows.delete(
      'id' in which ? { id: which.id } : { owner: which.owner },
    );
    return affected ?? 0;
  }

  get #rows(): Repository<ThornPortalLink> {
    return this.dataSource.getRepository(ThornPortalLink);
  }
}

function linkOf(row: ThornPortalLink): StoredLink {
  return {
    ...row,
    capabilities: row.capabilities.split(' ') as Capability[],
    createdAt: Number(row.createdAt),
    usedAt: row.usedAt === null ? null : Number(row.usedAt),
    expiresAt: Number(row.expiresAt),
  };
}
