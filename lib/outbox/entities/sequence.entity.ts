import { Column, Entity, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../../common/typeorm-compat.js';
import { EPOCH_MILLISECONDS } from './epoch-milliseconds.js';

/**
 * A row of `thorn_sequences`: the latest number of a key's messages. A transaction that sends such messages holds the row
 * until its end, so that numbers follow commits. Written by the process that sends. Never deleted.
 */
@Entity('thorn_sequences', { engine: MYSQL_ENGINE })
export class ThornSequence {
  /** A hash of the key. */
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  /** The latest number that was given. */
  @Column({ type: 'bigint', transformer: EPOCH_MILLISECONDS })
  sequence!: number;
}
