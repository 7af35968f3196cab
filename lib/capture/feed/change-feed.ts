import { Logger } from '@nestjs/common';
import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { errorText } from '../../common/index.js';
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
    try {
      return await this.#locked(async (manager, touches) => {
        for (const message of await this.#messages(touches, manager)) {
          this.capture.enlist(message, manager.queryRunner);
        }
        return touches;
      });
    } catch (error) {
      const dropped = await this.#dropUnreadable();
      if (dropped === 0) throw error;
      return dropped;
    }
  }

  /** Removes the touches that `work` returns, in one transaction with it. @returns their number */
  #locked(
    work: (manager: EntityManager, touches: readonly Touch[]) => Promise<readonly Touch[]>,
  ): Promise<number> {
    return this.capture.dataSource.transaction(async (manager) => {
      if (!(await this.table.lock(manager))) return 0;
      const done = await work(manager, await this.table.oldest(manager));
      const ids = done.map(({ id }) => id);
      await this.table.remove(manager, ids);
      return ids.length;
    });
  }

  /** Removes touches that no trigger of ours has written: they would keep all later ones from being read. */
  #dropUnreadable(): Promise<number> {
    return this.#locked(async (manager, touches) => {
      const unreadable: Touch[] = [];
      for (const touch of touches) {
        try {
          await manager.transaction((inner) => this.#messages([touch], inner));
        } catch (error) {
          if (!isOfRow(error)) throw error;
          unreadable.push(touch);
          this.#logger.error(
            `A row of thorn_changes cannot be read and is dropped, of the entity ${touch.entity}: ${errorText(error)}`,
          );
        }
      }
      return unreadable;
    });
  }

  async #messages(touches: readonly Touch[], manager: EntityManager): Promise<readonly Message[]> {
    const messages: Message[] = [];
    for (const transaction of byTransaction(await this.#read(touches, manager))) {
      messages.push(...(await this.#messagesOf(transaction, manager)));
    }
    return messages;
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
    return this.capture.messages.messagesOf(occurrencesOf(changes), manager, { given: known });
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

/** Tells whether the values of a row are at fault, and not the database or its schema. */
function isOfRow(error: unknown): boolean {
  const { driverError } = error as { readonly driverError?: { readonly code?: unknown } };
  // Class 22 of SQL's states: data exceptions.
  return driverError === undefined || String(driverError.code).startsWith('22');
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
