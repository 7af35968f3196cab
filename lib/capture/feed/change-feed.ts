import { Logger } from '@nestjs/common';
import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { Message } from '../../message/index.js';
import { occurrencesOf } from '../changes/occurrences.js';
import type { RowChange } from '../changes/row-change.js';
import type { EntityCapture } from '../hooks/entity-capture.js';
import type { EntityPlan } from '../plan/entity-plan.js';
import { type ChangeTable, namesOf, type Touch } from './change-table.js';
import { TouchedRows } from './touched-rows.js';

/** A touch with the rows before and after it. */
interface Touched {
  readonly touch: Touch;
  readonly rows: TouchedRows;
  readonly old: ObjectLiteral | undefined;
  readonly now: ObjectLiteral | undefined;
}

/**
 * Makes messages of what triggers have written down in one data source: changes that no hook tells of. Touches are read,
 * staged as messages and removed in one transaction, by one process at a time, so that each is sent once and in order.
 */
export class ChangeFeed {
  readonly #logger = new Logger('Thorn');
  readonly #warnedOf = new Set<string>();

  constructor(
    private readonly capture: EntityCapture,
    private readonly table: ChangeTable,
  ) {}

  /** Makes the messages of the oldest touches. @returns the number of touches */
  async step(): Promise<number> {
    if (!(await this.table.isFilled())) return 0;
    return this.capture.dataSource.transaction(async (manager) => {
      if (!(await this.table.lock(manager))) return 0;
      const touches = await this.table.oldest(manager);
      const touched = await this.#read(touches, manager);
      for (const transaction of byTransaction(touched)) {
        for (const message of await this.#messagesOf(transaction, manager)) {
          this.capture.enlist(message, manager.queryRunner);
        }
      }
      const ids = touches.map(({ id }) => id);
      await this.table.remove(manager, ids);
      return ids.length;
    });
  }

  async #read(touches: readonly Touch[], manager: EntityManager): Promise<readonly Touched[]> {
    const byEntity = new Map<string, Touch[]>();
    for (const touch of touches) {
      byEntity.set(touch.entity, [...(byEntity.get(touch.entity) ?? []), touch]);
    }
    const touched: Touched[] = [];
    for (const [entity, of] of byEntity)
      touched.push(...(await this.#readEntity(entity, of, manager)));
    return touched.sort((one, other) => Number(one.touch.id) - Number(other.touch.id));
  }

  async #readEntity(
    entity: string,
    touches: readonly Touch[],
    manager: EntityManager,
  ): Promise<readonly Touched[]> {
    const { dataSource } = this.capture;
    const metadata =
      dataSource.entityMetadatas.find((one) => namesOf(one)[0] === entity) ??
      dataSource.entityMetadatas.find((one) => namesOf(one).includes(entity));
    if (metadata === undefined) {
      this.#warnOfUnknown(entity);
      return [];
    }
    const idsOf = (has: 'had_row' | 'has_row') =>
      touches.filter((touch) => touch[has]).map(({ id }) => id);
    const before = await this.table.rows(manager, metadata, 'old_row', idsOf('had_row'));
    const after = await this.table.rows(manager, metadata, 'new_row', idsOf('has_row'));
    const kinds = new Map<EntityPlan, TouchedRows>();
    const touched = touches.flatMap((touch): Touched[] => {
      const [old, now] = [before.get(touch.id), after.get(touch.id)];
      const plan = this.#planOf(metadata, now ?? old ?? {});
      if (plan === undefined) return [];
      const rows = kinds.get(plan) ?? new TouchedRows(dataSource, plan);
      kinds.set(plan, rows);
      return [{ touch, rows, old: old && rows.rowOf(old), now: now && rows.rowOf(now) }];
    });
    for (const rows of kinds.values()) {
      const own = touched.filter((one) => one.rows === rows);
      await rows.complete(
        own.flatMap(({ old, now }) => [old, now].filter((row) => row !== undefined)),
        manager,
      );
    }
    return touched;
  }

  /** The events of a row: in a table with several classes its discriminator tells. Undefined when it has none. */
  #planOf(
    metadata: EntityMetadata,
    raw: Readonly<Record<string, unknown>>,
  ): EntityPlan | undefined {
    const { discriminatorColumn } = metadata;
    const value = discriminatorColumn && raw[discriminatorColumn.databaseName];
    const own =
      discriminatorColumn === undefined
        ? metadata
        : [metadata, ...metadata.childEntityMetadatas].find(
            ({ discriminatorValue }) => String(discriminatorValue) === String(value),
          );
    return this.capture.plans.find((plan) => plan.metadata === own);
  }

  async #messagesOf(
    transaction: readonly Touched[],
    manager: EntityManager,
  ): Promise<readonly Message[]> {
    const known = new Map<EntityMetadata, Map<string, ObjectLiteral>>();
    const changes = transaction.map(({ touch, rows, old, now }): RowChange => {
      const change = rows.changeOf(touch, old, now);
      const { metadata } = rows.plan;
      const ofEntity = known.get(metadata) ?? new Map<string, ObjectLiteral>();
      known.set(metadata, ofEntity);
      if (now === undefined) ofEntity.delete(change.key);
      else ofEntity.set(change.key, now);
      return change;
    });
    return this.capture.messages.messagesOf(occurrencesOf(changes), manager, false, known);
  }

  #warnOfUnknown(entity: string): void {
    if (this.#warnedOf.has(entity)) return;
    this.#warnedOf.add(entity);
    this.#logger.warn(
      `A trigger reports changes of ${entity}, which is not an entity of the data source: they are dropped. Correct the ` +
        'name in thorn_touch(), or let only processes that know the entity be workers.',
    );
  }
}

/** By the last touch of each: what changed the same row later comes later. */
function byTransaction(touched: readonly Touched[]): readonly (readonly Touched[])[] {
  const transactions = new Map<string, Touched[]>();
  for (const one of touched) {
    const { tx } = one.touch;
    const transaction = transactions.get(tx) ?? [];
    // A Map keeps the order in which keys are set.
    transactions.delete(tx);
    transaction.push(one);
    transactions.set(tx, transaction);
  }
  return [...transactions.values()];
}
