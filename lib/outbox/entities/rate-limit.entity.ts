import { Column, Entity, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../../common/typeorm-compat.js';
import { EPOCH_MILLISECONDS } from './epoch-milliseconds.js';

/**
 * A row of `thorn_rate_limits`: of a subscriber with a limit, how many attempts begin when. In the first data source.
 * Written by workers. Deleted by workers, a day after `kept_until`.
 */
@Entity('thorn_rate_limits', { engine: MYSQL_ENGINE })
export class ThornRateLimit {
  /** As `id` in `thorn_subscribers`. */
  @PrimaryColumn({ name: 'subscriber_id', type: 'varchar', length: 64 })
  subscriberId!: string;

  /** JSON; an empty text says nothing yet. */
  @Column({ type: 'text' })
  state!: string;

  /** From then on it says nothing any more. */
  @Column({ name: 'kept_until', type: 'bigint', transformer: EPOCH_MILLISECONDS })
  keptUntil!: number;
}
