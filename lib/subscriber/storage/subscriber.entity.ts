import { Column, Entity, Index, PrimaryColumn, type ValueTransformer } from 'typeorm';
import { MYSQL_ENGINE } from '../../common/typeorm-compat.js';

// Drivers disagree about bigint: PostgreSQL and MySQL answer text, SQLite a number.
const EPOCH_MILLISECONDS: ValueTransformer = {
  to: (date: Date | undefined) => date?.getTime(),
  from: (milliseconds: string | number) => new Date(Number(milliseconds)),
};

/**
 * A row of `thorn_subscribers`: a subscriber. `autoLoadEntities` finds it once the module is imported; otherwise name
 * it in the data source's `entities`. The columns that hold lists are JSON text, so that all databases store them
 * alike. In the first data source. Written by the REST API, `Subscribers` and, to disable a subscriber, by workers.
 * Deleted by its owner.
 */
@Entity('thorn_subscribers', { engine: MYSQL_ENGINE })
@Index(['owner', 'id'])
@Index(['updatedAt', 'revision'])
@Index(['ownerPlace'], { unique: true })
@Index(['hostPlace'], { unique: true })
export class ThornSubscriber {
  /** The id, with its prefix `sub_`. */
  @PrimaryColumn({ type: 'varchar', length: 64 })
  id!: string;

  /** The owner; null for the application's own. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  owner!: string | null;

  /** The URL of the endpoint. */
  @Column({ type: 'varchar', length: 2048 })
  url!: string;

  /** JSON: a list of patterns of the events that it gets. */
  @Column({ type: 'text' })
  events!: string;

  /** JSON: a list of patterns of the events that it does not get. */
  @Column({ type: 'text' })
  exclude!: string;

  /** JSON: a condition, or null. */
  @Column({ type: 'text', nullable: true })
  filter!: string | null;

  /** Attempts that its endpoint gets in {@link ratePer}; null for any number. */
  @Column({ name: 'rate_max', type: 'int', nullable: true })
  rateMax!: number | null;

  /** Milliseconds; null together with {@link rateMax}. */
  @Column({ name: 'rate_per', type: 'int', nullable: true })
  ratePer!: number | null;

  /** True: messages of the same key go one after another. */
  @Column({ type: 'boolean' })
  ordered!: boolean;

  /** What follows a delivery that failed for good: `skip` or `hold`. */
  @Column({ name: 'on_exhausted', type: 'varchar', length: 16 })
  onExhausted!: string;

  /** Milliseconds for which a failed delivery holds its key; null for no end. */
  @Column({ name: 'hold_for', type: 'int', nullable: true })
  holdFor!: number | null;

  /** The media type that deliveries are encoded as. */
  @Column({ name: 'content_type', type: 'varchar', length: 255 })
  contentType!: string;

  /** The digest of `Hook-HMAC`: `sha1`, `sha256` or `sha512`. */
  @Column({ type: 'varchar', length: 16 })
  digest!: string;

  /** JSON: a list of {@link Secret}. */
  @Column({ type: 'text' })
  secrets!: string;

  /** False: nothing is sent to it. */
  @Column({ type: 'boolean' })
  enabled!: boolean;

  /** `none`, `pending` or `verified`. */
  @Column({ type: 'varchar', length: 16 })
  verification!: string;

  /** A text of the owner. */
  @Column({ type: 'varchar', length: 1000, nullable: true })
  description!: string | null;

  /** JSON: an object of texts, of the application's own. */
  @Column({ type: 'text' })
  metadata!: string;

  /**
   * A random number that every write replaces. The sum over all rows shows other processes that something has changed,
   * independent of clocks and of the length of transactions. Set another number when you edit a row by hand.
   */
  @Column({ type: 'int' })
  revision!: number;

  /** The place among the owner's subscribers; unique, so that the limit holds for concurrent creations. */
  @Column({ name: 'owner_place', type: 'varchar', length: 64, nullable: true })
  ownerPlace!: string | null;

  /** As `owner_place`, among those of its owner and host. */
  @Column({ name: 'host_place', type: 'varchar', length: 64, nullable: true })
  hostPlace!: string | null;

  /** The time of its creation. */
  @Column({ name: 'created_at', type: 'bigint', transformer: EPOCH_MILLISECONDS })
  createdAt!: Date;

  /** The time of the latest change. */
  @Column({ name: 'updated_at', type: 'bigint', transformer: EPOCH_MILLISECONDS })
  updatedAt!: Date;
}
