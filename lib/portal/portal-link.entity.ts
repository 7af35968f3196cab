import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../common/typeorm-compat.js';

/**
 * A row of `thorn_portal_links`: a link to the page for one owner, and the session that it was exchanged for. In the first
 * data source. Written by `Portal` and the page. Deleted after it has expired, with the next link.
 */
@Entity('thorn_portal_links', { engine: MYSQL_ENGINE })
@Index(['owner'])
@Index(['expiresAt'])
export class ThornPortalLink {
  /** The id of the link, by which it is revoked. */
  @PrimaryColumn({ type: 'varchar', length: 64 })
  id!: string;

  /** A hash of the code, and once that is used, of the session's token. */
  @Index({ unique: true })
  @Column({ name: 'secret_hash', type: 'varchar', length: 64 })
  secretHash!: string;

  /** The owner whose endpoints it shows. */
  @Column({ type: 'varchar', length: 255 })
  owner!: string;

  /** Words with blanks between them. */
  @Column({ type: 'varchar', length: 64 })
  capabilities!: string;

  /** The time at which the link was made. */
  @Column({ name: 'created_at', type: 'bigint' })
  createdAt!: number | string;

  /** The time at which the code was exchanged; null before. */
  @Column({ name: 'used_at', type: 'bigint', nullable: true })
  usedAt!: number | string | null;

  /** The end of the code, and once that is used, of the session. */
  @Column({ name: 'expires_at', type: 'bigint' })
  expiresAt!: number | string;
}
