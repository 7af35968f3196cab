import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../../common/typeorm-compat.js';
import { EPOCH_MILLISECONDS } from './epoch-milliseconds.js';

/**
 * A row of `thorn_pending_messages`: a message some of whose deliveries have no row of their own yet. Written with the
 * message and deleted at the end, so that the row of the message, which holds the body, is written once. Written by the
 * process that sends, and by the worker that claims the message. Deleted when each delivery has a row.
 */
@Entity('thorn_pending_messages', { engine: MYSQL_ENGINE })
@Index(['dueAt'])
@Index(['keyHash', 'sequence'], { where: 'key_hash IS NOT NULL' })
export class ThornPendingMessage {
  /** As in `thorn_messages`. */
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  /** A hash of the message's key, until ordered subscribers have their deliveries; null without a key. */
  @Column({ name: 'key_hash', type: 'uuid', nullable: true })
  keyHash!: string | null;

  /** As in `thorn_messages`. */
  @Column({ type: 'bigint', nullable: true, transformer: EPOCH_MILLISECONDS })
  sequence!: number | null;

  /** The time from which any process may claim the message: while a process holds it, the end of the lease. */
  @Column({ name: 'due_at', type: 'bigint', transformer: EPOCH_MILLISECONDS })
  dueAt!: number;

  /** The token of the process that holds the message. */
  @Column({ type: 'varchar', length: 40, nullable: true })
  lease!: string | null;
}
