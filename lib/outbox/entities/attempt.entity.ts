import { Column, Entity, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../../common/typeorm-compat.js';
import { EPOCH_MILLISECONDS } from './epoch-milliseconds.js';

/**
 * A row of `thorn_attempts`: an HTTP request of a delivery behind the first, which the delivery's own row holds. Written by
 * the worker that made the request. Deleted with its delivery.
 */
@Entity('thorn_attempts', { engine: MYSQL_ENGINE })
export class ThornAttempt {
  /** As `id` in `thorn_deliveries`. */
  @PrimaryColumn({ name: 'delivery_id', type: 'uuid' })
  deliveryId!: string;

  /** 2 for the second request of the delivery. */
  @PrimaryColumn({ type: 'int' })
  number!: number;

  /** The start of the request. */
  @Column({ name: 'started_at', type: 'bigint', transformer: EPOCH_MILLISECONDS })
  startedAt!: number;

  /** Milliseconds that the request took. */
  @Column({ type: 'int' })
  duration!: number;

  /** The answer's status; null when there was none. */
  @Column({ type: 'int', nullable: true })
  status!: number | null;

  /** Why there was no answer, one of `AttemptErrorCode`. */
  @Column({ name: 'error_code', type: 'varchar', length: 32, nullable: true })
  errorCode!: string | null;

  /** The same in words. */
  @Column({ name: 'error_message', type: 'text', nullable: true })
  errorMessage!: string | null;

  /** The first 16 KiB of the answer, as far as it is UTF-8; null when it was empty, or once expunged. */
  @Column({ type: 'text', nullable: true })
  response!: string | null;

  /** The dialled address, for operators. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  address!: string | null;

  /** JSON: headers of the answer, up to 4 KiB; null when none are kept, or once expunged. */
  @Column({ name: 'answer_headers', type: 'text', nullable: true })
  answerHeaders!: string | null;
}
