import type { EntityMetadata, ObjectLiteral, QueryRunner } from 'typeorm';
import type { EventPlan } from '../../capture/plan/event-plan.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import type { ChangedValue } from '../rows/entity-values.js';
import type { Told } from '../transaction-status.js';
import type { Message } from '../../message/index.js';
import type { CollectedItem } from '../../capture/changes/due-events.js';
import type { LinkChange } from '../../capture/changes/row-change.js';
import { metadataOf } from '../entities/entity-table.js';
import { TransactionFrames } from '../../capture/changes/transaction-frames.js';
import { dataSourceOf } from '../../common/typeorm-compat.js';

/** A write that was refused after it was made: with it, or with its savepoint, all has to go. */
interface Refusal {
  readonly type: 'refusal';
  readonly reason: Error;
}

/** A row as it was read before a write. */
export interface ReadRow {
  readonly row: ObjectLiteral;
  /** True if it has every relation and hidden column that its events ask for. */
  readonly isComplete: boolean;
}

/** Rows to read before a write. */
export interface RowsToRead {
  readonly events: Set<EventPlan>;
  readonly ids: Map<string, ObjectLiteral>;
  /** True if all of the writes leave keys as they are. */
  keepsKeys: boolean;
}

/** A relation of one row that a save sets from its other side. */
export interface OtherSideWrite {
  readonly values: readonly ChangedValue[];
  /** The row before; undefined when it was not read. */
  old?: ObjectLiteral | undefined;
  /** The row before the write with everything that events need, where it was read. */
  whole?: ObjectLiteral | undefined;
  /** The events of the row; undefined when its class has none. */
  plan?: EntityPlan;
}

/** The writes of a save to rows of one class that wait for their hook. */
export interface WaitingWrites {
  /** Writes whose hook does not tell the row, in the order of the hooks. */
  writes: OtherSideWrite[];
  /** The hooks that have been called for them. */
  hooks: number;
  /** Writes whose hook does not tell the relation. */
  readonly byKey: Map<string, OtherSideWrite>;
}

/** The rows that one save is about to remove and that may be linked from other rows. */
export interface Removal {
  readonly rows: Map<EntityMetadata, ObjectLiteral[]>;
  /** Their links, each by the keys of both ends. */
  readonly links: Map<string, LinkChange>;
  /** True once a hook has told of the links. */
  isTold: boolean;
  /** Resolves once the links are read. */
  readonly read: Promise<void>;
}

/** The rows that were read for one save before it writes. They are kept until its hooks are called. */
class OpenSave {
  /** Old rows. Null stands for a row that was not there. */
  readonly rows = new Map<EntityPlan, Map<string, ReadRow | null>>();
  /** The ids of the rows that were not there. */
  readonly missing = new Map<EntityMetadata, Map<string, ObjectLiteral>>();
  /** Writes from the other side of a relation. */
  readonly otherSides = new Map<EntityMetadata, WaitingWrites>();
  /** Removals of linked rows, by these rows. */
  readonly removals = new Map<string, Removal>();
}

/** The states of connections, each found by the query runner that has the connection. */
export class Connections {
  readonly #states = new WeakMap<QueryRunner, ConnectionState>();

  of(queryRunner: QueryRunner): ConnectionState {
    let state = this.#states.get(queryRunner);
    if (state === undefined) this.#states.set(queryRunner, (state = new ConnectionState()));
    return state;
  }
}

/** The state of one connection and of its open transaction. */
export class ConnectionState {
  readonly frames = new TransactionFrames<CollectedItem | Refusal>();
  #save: OpenSave | undefined;
  /** Old rows that are to be read together. */
  reading:
    { readonly plans: Map<EntityPlan, RowsToRead>; readonly done: Promise<void> } | undefined;
  /** A removal that is still open for more rows of the same save. */
  removal: Removal | undefined;
  /** Staged in the open transaction, released when it has committed. */
  readonly staged: Message[] = [];
  /** Happened outside of any transaction and not sent yet. */
  readonly unframed: CollectedItem[] = [];
  /** The entities for which the open transaction has made writes that are not captured. */
  readonly uncaptured = new Set<EntityPlan>();
  /**
   * The reason why the database has ended the open transaction by itself: further statements would run outside of it.
   */
  endedBy: Error | undefined;
  /** True once the database has rolled back a transaction that was to be committed. */
  hasFailed = false;
  /** True while TypeORM commits the open transaction. */
  isCommitting = false;
  /** The number of rollbacks that TypeORM is running: the rollbacks of two savepoints may overlap. */
  rollbacks = 0;
  /** True if TypeORM has begun the open transaction inside a transaction that was begun by hand. */
  isWithinOther = false;
  /** Whether a transaction was open after the last write, where the database tells with its result. */
  isOpenAfterWrite: boolean | undefined;
  /** The sending of changes that were collected outside of a transaction. */
  sending: Promise<void> | undefined;
  /** Statements of the open transaction. */
  #statements = 0;

  /** The rows that were read for the running save. */
  get save(): OpenSave {
    return (this.#save ??= new OpenSave());
  }

  /** The transaction has ended, or a part of it was rolled back: the rows that were read before may be out of date. */
  forgetSave(): void {
    this.#save = undefined;
  }

  /** Another transaction begins. */
  begin(): void {
    this.#statements = 0;
    this.endedBy = undefined;
    this.isCommitting = false;
    this.rollbacks = 0;
    this.uncaptured.clear();
  }

  /** A statement of the open transaction is about to be run. */
  statement(): void {
    this.#statements += 1;
  }

  /** Takes the information about transactions that came with the result of a statement. */
  told({ hasTransaction, hasRolledBack }: Told): void {
    this.isOpenAfterWrite = hasTransaction ?? this.isOpenAfterWrite;
    // PostgreSQL answers the COMMIT of a transaction that had failed with a ROLLBACK.
    if (hasRolledBack && this.isCommitting) this.hasFailed = true;
  }

  /**
   * True if one INSERT of TypeORM's wrote these rows, and the transaction has no statement besides: they are as they were
   * inserted. The statements are counted, and not read: an INSERT without RETURNING is two, as TypeORM reads the row again. After
   * `save(order)` it is true, after `save(order)` and any `query()` it is not.
   */
  isAlone(items: readonly CollectedItem[]): boolean {
    return items.every((one) => {
      if (one.type === 'message') return true;
      if (one.type !== 'row' || one.did !== 'insert') return false;
      return this.#statements === statementsOfInsert(metadataOf(one.plan.table));
    });
  }

  /** The frames; a transaction may have begun before the capture started to listen. */
  get openFrames(): ConnectionState['frames'] {
    if (this.frames.depth === 0) this.frames.begin();
    return this.frames;
  }

  /** Empties the frames of the changes and messages that they have collected. */
  drain(): CollectedItem[] {
    return this.frames.drain().filter((item) => item.type !== 'refusal');
  }

  /** True if the open transaction has collected changes or messages. */
  get hasCollected(): boolean {
    return this.frames.find((item) => item.type !== 'refusal') !== undefined;
  }

  /** Why the open transaction must not be committed. */
  get refusal(): Error | undefined {
    return this.frames.find((item) => item.type === 'refusal')?.reason;
  }
}

/**
 * The number of statements that TypeORM runs to insert rows of an entity: without RETURNING it runs a second one that
 * reads the values that the database has filled in.
 */
function statementsOfInsert(metadata: EntityMetadata): 1 | 2 {
  const { driver } = dataSourceOf(metadata);
  if (driver.isReturningSqlSupported('insert')) return 1;
  return metadata.getInsertionReturningColumns().every(({ isGenerated }) => isGenerated) ? 1 : 2;
}
