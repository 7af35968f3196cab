import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../../common/typeorm-compat.js';
import { EPOCH_MILLISECONDS } from './epoch-milliseconds.js';

/**
 * A row of `thorn_bulk_operations`: a subscriber for which `retryFailed()` or `backfill()` is under way. Its ordered
 * deliveries get no turn meanwhile. Written by the process that runs the operation. Deleted at the end of the operation,
 * or by workers after `expires_at`.
 */
@Entity('thorn_bulk_operations', { engine: MYSQL_ENGINE })
@Index(['expiresAt'])
export class ThornBulkOperation {
  /** As in `thorn_deliveries`. */
  @PrimaryColumn({ name: 'subscriber_id', type: 'uuid' })
  subscriberId!: string;

  /** The time from which the operation counts as abandoned. Every batch puts it off. */
  @Column({ name: 'expires_at', type: 'bigint', transformer: EPOCH_MILLISECONDS })
  expiresAt!: number;
}
