import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../common/typeorm-compat.js';

/**
 * A row of `thorn_idempotency_keys`: a request to the REST API that came with a key, and what it was answered. In the first
 * data source. Written by the REST API. Deleted a day later.
 */
@Entity('thorn_idempotency_keys', { engine: MYSQL_ENGINE })
@Index(['expiresAt'])
export class ThornIdempotencyKey {
  /** A hash of the owner, the route and the key. */
  @PrimaryColumn({ type: 'varchar', length: 64 })
  id!: string;

  /** A hash of the key and the body. */
  @Column({ type: 'varchar', length: 64 })
  fingerprint!: string;

  /** JSON, sealed like secrets, since some answers show one; null while the request is under way. */
  @Column({ type: 'text', nullable: true })
  answer!: string | null;

  /** The time from which the row counts no more. */
  @Column({ name: 'expires_at', type: 'bigint' })
  expiresAt!: number | string;
}
