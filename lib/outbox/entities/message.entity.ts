import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../../common/typeorm-compat.js';
import { EPOCH_MILLISECONDS } from './epoch-milliseconds.js';

/**
 * A row of `thorn_messages`: one occurrence of an event, written in the transaction that it belongs to. `autoLoadEntities`
 * finds it once the module is imported; otherwise name it in the data source's `entities`.
 *
 * While it is under way, a row of `thorn_pending_messages` says so. Written by the process that sends, with the exact
 * bytes that are signed. Deleted by workers with its deliveries, `retentionDays` after it was sent.
 */
@Entity('thorn_messages', { engine: MYSQL_ENGINE })
@Index(['time'])
export class ThornMessage {
  /** The id of the message without its prefix `msg_`, or a hash of `givenId`. */
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  /** The id that the application has given to the message; null for a generated one. */
  @Column({ name: 'given_id', type: 'varchar', length: 64, nullable: true })
  givenId!: string | null;

  /** Name of the event. */
  @Column({ type: 'varchar', length: 256 })
  event!: string;

  /** The time at which it was sent. */
  @Column({ type: 'bigint', transformer: EPOCH_MILLISECONDS })
  time!: number;

  /** The number among the messages of its key; null without a key. */
  @Column({ type: 'bigint', nullable: true, transformer: EPOCH_MILLISECONDS })
  sequence!: number | null;

  /** The owner of the event; null without one. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  owner!: string | null;

  /** Whose subscribers get it: those of `everyone`, or of the `owner`. */
  @Column({ type: 'varchar', length: 16 })
  audience!: string;

  /** The address of the thing that the event is about. */
  @Column({ type: 'text', nullable: true })
  ref!: string | null;

  /** JSON: extra HTTP headers, an object of texts. */
  @Column({ type: 'text' })
  headers!: string;

  /** JSON: what the event says about its deliveries. */
  @Column({ type: 'text' })
  settings!: string;

  /** The subscribers of this message alone. */
  @Column({ type: 'json' })
  recipients!: unknown;

  /**
   * The signed and sent text, byte for byte in UTF-8; null once expunged. TypeORM has no type for long texts that every
   * database knows; this one keeps the text as it is on PostgreSQL, SQLite and MariaDB. On MySQL, which would change
   * the text, the column is a longtext: TypeORM treats the two as equal.
   */
  @Column({ type: 'json', nullable: true })
  body!: unknown;

  /** The key that it is ordered by. */
  @Column({ name: 'order_key', type: 'varchar', length: 255, nullable: true })
  orderKey!: string | null;

  /** W3C Trace Context of where it was sent, when messages are traced. */
  @Column({ type: 'varchar', length: 55, nullable: true })
  traceparent!: string | null;

  /** W3C Trace Context: what the tracing systems add to it. */
  @Column({ type: 'varchar', length: 512, nullable: true })
  tracestate!: string | null;
}
