import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { MYSQL_ENGINE } from '../../common/typeorm-compat.js';
import { EPOCH_MILLISECONDS } from './epoch-milliseconds.js';

/**
 * A row of `thorn_deliveries`: one message to one subscriber. Written when its first attempt has ended or is
 * postponed; only what has to be tried again is ever changed. Written by workers. Deleted by workers, `retentionDays` after
 * it was finished.
 *
 * `host` and `dueAt` are set while it waits, and null once it is finished: what is finished is in none of their indexes.
 * `permitAt` is part of two of them so that what waits for a limit is counted without a look at the rows.
 *
 * `startedAt`, `duration`, `responseStatus`, `errorCode`, `errorMessage`, `response`, `address` and `answerHeaders` are the
 * first attempt, with the meaning that they have in `ThornAttempt`. They are null until it has ended, and if the delivery
 * log does not keep it.
 *
 * The columns are in the order of their alignment, which leaves no gaps in the rows of PostgreSQL.
 */
@Entity('thorn_deliveries', { engine: MYSQL_ENGINE })
@Index(['subscriberId', 'id'])
@Index(['subscriberId', 'dueAt', 'permitAt'], {
  where: 'due_at IS NOT NULL',
})
@Index(['reason', 'id'], { where: 'reason IS NOT NULL' })
@Index(['dueAt', 'permitAt'], { where: 'due_at IS NOT NULL' })
@Index(['host', 'dueAt'], { where: 'host IS NOT NULL' })
@Index(['keyHash', 'subscriberId', 'place'], { unique: true, where: 'key_hash IS NOT NULL' })
export class ThornDelivery {
  /** The id without its prefix `dlv_`: made of the message and the subscriber, so that a pair has one row. */
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  /** As in `thorn_messages`. */
  @Column({ name: 'message_id', type: 'uuid' })
  messageId!: string;

  /** The id of the subscriber without its prefix `sub_`, or a hash of `givenSubscriberId`. */
  @Column({ name: 'subscriber_id', type: 'uuid' })
  subscriberId!: string;

  /** A hash of the message's key while an unfinished delivery is ordered; otherwise null. */
  @Column({ name: 'key_hash', type: 'uuid', nullable: true })
  keyHash!: string | null;

  /**
   * The place among the unfinished deliveries of the subscriber and the key: 0 of the one whose turn it is, else the
   * sequence of the message. So at most one has its turn. What a bulk operation adds is behind all sequences until it ends.
   */
  @Column({ type: 'bigint', nullable: true, transformer: EPOCH_MILLISECONDS })
  place!: number | null;

  /**
   * The time from which the delivery may be claimed: the next attempt or, while a process holds the delivery, the end
   * of the lease. Behind all times while it waits for its turn.
   */
  @Column({ name: 'due_at', type: 'bigint', nullable: true, transformer: EPOCH_MILLISECONDS })
  dueAt!: number | null;

  /** The expected time of the permit while the delivery only waits for the subscriber's rate limit; otherwise null. */
  @Column({ name: 'permit_at', type: 'bigint', nullable: true, transformer: EPOCH_MILLISECONDS })
  permitAt!: number | null;

  /** The start of the latest attempt; null where `startedAt` says the same. */
  @Column({ name: 'attempted_at', type: 'bigint', nullable: true, transformer: EPOCH_MILLISECONDS })
  attemptedAt!: number | null;

  /** The time at which it succeeded or failed for good; null before. */
  @Column({ name: 'finished_at', type: 'bigint', nullable: true, transformer: EPOCH_MILLISECONDS })
  finishedAt!: number | null;

  /** The start of the first attempt. */
  @Column({ name: 'started_at', type: 'bigint', nullable: true, transformer: EPOCH_MILLISECONDS })
  startedAt!: number | null;

  /** Attempts that count against the retry policy. */
  @Column({ type: 'int' })
  attempts!: number;

  /** Attempts that do not count: answered 429, or made while the host was down. */
  @Column({ type: 'int' })
  throttled!: number;

  /** Requests made, all of them. */
  @Column({ type: 'int' })
  requests!: number;

  /** Milliseconds of the first attempt. */
  @Column({ type: 'int', nullable: true })
  duration!: number | null;

  /** The status of the first attempt's answer. */
  @Column({ name: 'response_status', type: 'int', nullable: true })
  responseStatus!: number | null;

  /** As `given_id` in `thorn_messages`. */
  @Column({ name: 'given_message_id', type: 'varchar', length: 64, nullable: true })
  givenMessageId!: string | null;

  /** An id that is not `sub_` and a UUID, such as that of a static subscriber; otherwise null. */
  @Column({ name: 'given_subscriber_id', type: 'varchar', length: 64, nullable: true })
  givenSubscriberId!: string | null;

  /** Name of the event. */
  @Column({ type: 'varchar', length: 256 })
  event!: string;

  /** `pending`, `succeeded` or `failed`. */
  @Column({ type: 'varchar', length: 16 })
  status!: string;

  /** Why it failed; null unless it did. */
  @Column({ type: 'varchar', length: 16, nullable: true })
  reason!: string | null;

  /** Host and port that it waits for. */
  @Column({ type: 'varchar', length: 320, nullable: true })
  host!: string | null;

  /** The token of the process that holds it. */
  @Column({ type: 'varchar', length: 40, nullable: true })
  lease!: string | null;

  /** Why the first attempt got no answer. */
  @Column({ name: 'error_code', type: 'varchar', length: 32, nullable: true })
  errorCode!: string | null;

  /** The same in words. */
  @Column({ name: 'error_message', type: 'text', nullable: true })
  errorMessage!: string | null;

  /** The beginning of the first attempt's answer. */
  @Column({ type: 'text', nullable: true })
  response!: string | null;

  /** The address that the first attempt dialled. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  address!: string | null;

  /** JSON: headers of the first attempt's answer. */
  @Column({ name: 'answer_headers', type: 'text', nullable: true })
  answerHeaders!: string | null;
}
