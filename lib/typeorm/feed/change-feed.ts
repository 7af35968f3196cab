import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { FaultLog } from '../../common/index.js';
import type { Message } from '../../message/index.js';
import { dueEventsOf } from '../../capture/changes/due-events.js';
import { ManagerRows } from '../entities/manager-rows.js';
import type { EntityCapture } from '../hooks/entity-capture.js';
import type { ChangeTable, TriggerReport } from './change-table.js';
import { readReports } from './report-reader.js';
import type { ReadReport } from './trigger-rows.js';

/**
 * Makes messages of what triggers have written down in one data source: changes that no hook tells of. Reports are read,
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

  /** Makes the messages of the oldest reports. @returns the number of reports */
  async step(): Promise<number> {
    if (!(await this.table.isFilled())) return 0;
    try {
      return await this.#locked(async (manager, reports) => {
        for (const message of await this.#messages(reports, manager)) {
          this.capture.enlist(message, manager.queryRunner);
        }
        return reports;
      });
    } catch (error) {
      const dropped = await this.#dropUnreadable();
      if (dropped === 0) throw error;
      return dropped;
    }
  }

  /** Removes the reports that `work` returns, in one transaction with it. @returns their number */
  #locked(
    work: (
      manager: EntityManager,
      reports: readonly TriggerReport[],
    ) => Promise<readonly TriggerReport[]>,
  ): Promise<number> {
    return this.capture.dataSource.transaction(async (manager) => {
      if (!(await this.table.lock(manager))) return 0;
      const done = await work(manager, await this.table.oldest(manager));
      await this.table.remove(manager, done);
      return done.length;
    });
  }

  /** Removes reports that no trigger of ours has written: they would keep all later ones from being read. */
  #dropUnreadable(): Promise<number> {
    return this.#locked(async (manager, reports) => {
      const unreadable: TriggerReport[] = [];
      for (const report of reports) {
        try {
          await manager.transaction((inner) => this.#messages([report], inner));
        } catch (error) {
          if (!isOfRow(error)) throw error;
          unreadable.push(report);
          this.#faults.report(
            `A row of thorn_changes cannot be read and is dropped, of the entity ${report.entity}`,
            error,
          );
        }
      }
      return unreadable;
    });
  }

  async #messages(
    reports: readonly TriggerReport[],
    manager: EntityManager,
  ): Promise<readonly Message[]> {
    const messages: Message[] = [];
    const { table, capture } = this;
    const { read, unknown } = await readReports(reports, { table, manager, capture });
    for (const entity of unknown) this.#warnOfUnknown(entity);
    for (const transaction of byTransaction(read)) {
      messages.push(...(await this.#messagesOf(transaction, manager)));
    }
    return messages;
  }

  async #messagesOf(
    transaction: readonly ReadReport[],
    manager: EntityManager,
  ): Promise<readonly Message[]> {
    const changes = transaction.flatMap((one) => one.rows.changesOf(one));
    const { messages } = this.capture;
    const { items, events } = messages.heardAmong(changes);
    const dueEvents = dueEventsOf(items, events);
    return messages.messagesOf(dueEvents, new ManagerRows(manager), { dropsFaults: true });
  }

  #warnOfUnknown(entity: string): void {
    if (this.#warnedOf.has(entity)) return;
    this.#warnedOf.add(entity);
    this.#logger.warn(
      `A trigger reports changes of ${entity}, which is not an entity of the data source: they are dropped. Correct the ` +
        'name in thorn_report_change(), or let only processes that know the entity be workers.',
    );
  }
}

/** Tells whether the values of a row are at fault, and not the database or its schema. */
function isOfRow(error: unknown): boolean {
  const { driverError } = error as { readonly driverError?: { readonly code?: unknown } };
  // Class 22 of SQL's states: data exceptions.
  return driverError === undefined || String(driverError.code).startsWith('22');
}

/** By the last report of each: what changed the same row later comes later. */
function byTransaction(read: readonly ReadReport[]): readonly (readonly ReadReport[])[] {
  const transactions = new Map<string, ReadReport[]>();
  for (const one of read) {
    const { tx } = one.report;
    const transaction = transactions.get(tx) ?? [];
    // A Map keeps the order in which keys are set.
    transactions.delete(tx);
    transaction.push(one);
    transactions.set(tx, transaction);
  }
  return [...transactions.values()];
}
