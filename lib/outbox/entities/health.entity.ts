import { Column, Entity, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../../common/typeorm-compat.js';
import { EPOCH_MILLISECONDS } from './epoch-milliseconds.js';

/**
 * A row of `thorn_health`: a subscriber whose attempts have only failed for a while. Who is well has no row, so that the
 * table stays small and a success costs nothing. Written by workers. Deleted by the next success, or when the subscriber
 * is disabled.
 */
@Entity('thorn_health', { engine: MYSQL_ENGINE })
export class ThornHealth {
  /** As `id` in `thorn_subscribers`. */
  @PrimaryColumn({ name: 'subscriber_id', type: 'varchar', length: 64 })
  subscriberId!: string;

  /** Start of the first failed attempt since the last success. */
  @Column({ name: 'failing_since', type: 'bigint', transformer: EPOCH_MILLISECONDS })
  failingSince!: number;

  /** Messages that have failed at least once since then. */
  @Column({ name: 'failing_messages', type: 'int' })
  failingMessages!: number;

  /** Replaced by every write: of two processes that have read the same row, one has to read it again. */
  @Column({ type: 'varchar', length: 40 })
  token!: string;
}
