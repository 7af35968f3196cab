import { Logger } from '@nestjs/common';
import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { FaultLog } from '../../common/index.js';
import type { Message } from '../../message/index.js';
import { occurrencesOf } from '../changes/occurrences.js';
import type { EntityCapture } from '../hooks/entity-capture.js';
import type { ChangeTable, Touch } from './change-table.js';
import { readTouches } from './touch-reader.js';
import type { Touched } from './touched-rows.js';

/**
 * Makes messages of what triggers have written down in one data source: changes that no hook tells of. Touches are read,
 * staged as messages and removed in one transaction, by one process at a time, so that each is sent once and in order.
 */
export class ChangeFeed {
  readonly #logger = new Logger('Thorn');
  readonly #faults = new FaultLog();
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
      await this.table.remove(manager, done);
      return done.length;
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
          this.#faults.report(
            `A row of thorn_changes cannot be read and is dropped, of the entity ${touch.entity}`,
            error,
          );
        }
      }
      return unreadable;
    });
  }

  async #messages(touches: readonly Touch[], manager: EntityManager): Promise<readonly Message[]> {
    const messages: Message[] = [];
    const { table, capture } = this;
    const { touched, unknown } = await readTouches(touches, { table, manager, capture });
    for (const entity of unknown) this.#warnOfUnknown(entity);
    for (const transaction of byTransaction(touched)) {
      messages.push(...(await this.#messagesOf(transaction, manager)));
    }
    return messages;
  }

  async #messagesOf(
    transaction: readonly Touched[],
    manager: EntityManager,
  ): Promise<readonly Message[]> {
    const known = new Map<EntityMetadata, Map<string, ObjectLiteral>>();
    const changes = transaction.flatMap((one) => {
      const { metadata } = one.rows.plan;
      const ofEntity = known.get(metadata) ?? new Map<string, ObjectLiteral>();
      known.set(metadata, ofEntity);
      const made = one.rows.changesOf(one);
      if (one.now !== undefined) ofEntity.set(made[0]!.key, one.now);
      return made;
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
