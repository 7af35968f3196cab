import { Column, Entity, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../../common/typeorm-compat.js';
import { EPOCH_MILLISECONDS } from './epoch-milliseconds.js';

/**
 * A row of `thorn_pauses`: a host that an operator lets nothing be sent to, or `*` for all. In the first data source.
 * Written by the operator API. Deleted when the pause is ended.
 */
@Entity('thorn_pauses', { engine: MYSQL_ENGINE })
export class ThornPause {
  /** Host and port, as in the URLs of subscribers. */
  @PrimaryColumn({ type: 'varchar', length: 320 })
  host!: string;

  /** The time at which the pause began. */
  @Column({ name: 'paused_at', type: 'bigint', transformer: EPOCH_MILLISECONDS })
  pausedAt!: number;
}

/** A row of `thorn_pauses` as it is stored. */
export interface PauseRow {
  readonly host: string;
  readonly paused_at: number | string;
}
