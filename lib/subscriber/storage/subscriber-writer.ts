import { Logger } from '@nestjs/common';
import { LogLine } from '../../common/log.js';
import type { Secret } from '../../message/recipient.js';
import { withoutExpired } from '../service/secret-rotation.js';
import { hostnameOf, type QuotaAllocator } from './quota-slots.js';
import { describeFault, isFault, type SubscriberRowMapper } from './subscriber-row-mapper.js';
import type { SubscriberTable } from './subscriber-table.js';
import type { SubscriberRow } from '../model/field-kinds.js';
import {
  APPLICATION,
  changeOf,
  type FailureFigures,
  type SubscriberChange,
  WORKER,
} from '../model/subscriber-change.js';
import type { UpdateTerms } from '../model/subscriber.repository.js';
import type { Subscriber, SubscriberChanges } from '../model/subscriber.js';

type DatedChanges = SubscriberChanges & { readonly updatedAt: Date };
type Changer = Pick<UpdateTerms, 'by'>;

/**
 * Changes single rows. Most changes depend on the row that was read, so after a concurrent write the writer reads the
 * row again and repeats its change. This ends, because each failed write means that another write succeeded.
 */
export class SubscriberWriter {
  readonly #logger = new Logger('Thorn');

  constructor(
    private readonly table: SubscriberTable,
    private readonly mapper: SubscriberRowMapper,
    private readonly allocator: QuotaAllocator,
  ) {}

  /** Writes the changes. @returns the row as it is then; null when there is none */
  async plainly(id: string, changes: DatedChanges, { by }: Changer): Promise<SubscriberRow | null> {
    for (;;) {
      const current = await this.table.find(id, 'any');
      if (current === null) return null;
      const columns = this.mapper.toColumns(id, changes);
      const audited = this.#changed(current, changes, columns, by);
      if (await this.table.updateUnchanged(current, columns, audited)) {
        return { ...current, ...columns };
      }
    }
  }

  /**
   * Writes the changes, unless the terms forbid it.
   *
   * @throws what `check` throws
   * @throws {@link LimitReachedError}
   */
  async onTerms(
    id: string,
    changes: DatedChanges,
    terms: UpdateTerms,
  ): Promise<SubscriberRow | null> {
    const { by, check, limits } = terms;
    for (;;) {
      const current = await this.table.find(id, 'any');
      if (current === null) return null;
      const subscriber = this.mapper.fromRow(current);
      // The row cannot be read, so no term can be checked. The change may repair it.
      if (isFault(subscriber)) return this.plainly(id, changes, terms);
      check?.(subscriber);
      const moved = { ...subscriber, ...changes };
      const isMoved = hostnameOf(moved.url) !== hostnameOf(subscriber.url);
      const written = await this.allocator.allocate(
        moved,
        isMoved ? limits : undefined,
        async ({ hostSlot }) => {
          // The subscriber keeps its slot among all subscribers of its owner. On another host it needs another slot of that
          // host.
          const slot = isMoved ? { host_slot: hostSlot } : {};
          const columns = { ...this.mapper.toColumns(id, changes), ...slot };
          const audited = this.#changed(current, changes, columns, by);
          return (await this.table.updateUnchanged(current, columns, audited))
            ? { ...current, ...columns }
            : null;
        },
      );
      if (written !== null) return written;
    }
  }

  /** @returns the row as it is then, and whether it was this call that has disabled it */
  async disable(
    id: string,
    updatedAt: Date,
    figures: FailureFigures | undefined,
  ): Promise<{ readonly row: SubscriberRow | null; readonly isDisabled: boolean }> {
    const details = { at: updatedAt.getTime(), by: WORKER, ...(figures && { figures }) };
    for (;;) {
      const row = await this.table.find(id, 'any');
      if (row === null || !row.enabled) return { row, isDisabled: false };
      const columns = this.mapper.toColumns(id, { enabled: false, updatedAt });
      if (await this.table.updateUnchanged(row, columns, changeOf('disabled', row, details))) {
        return { row: { ...row, ...columns }, isDisabled: true };
      }
    }
  }

  /** @returns the row as it is then; null when there is none */
  async secrets(
    id: string,
    change: (secrets: readonly Secret[], current: Subscriber) => readonly Secret[],
    updatedAt: Date,
    { by }: Changer,
  ): Promise<SubscriberRow | null> {
    for (;;) {
      const current = await this.table.find(id, 'any');
      if (current === null) return null;
      const subscriber = this.mapper.fromRow(current);
      if (isFault(subscriber)) return current;
      const changes = { secrets: change(subscriber.secrets, subscriber), updatedAt };
      const columns = this.mapper.toColumns(id, changes);
      const audited = this.#changed(current, changes, columns, by);
      if (await this.table.updateUnchanged(current, columns, audited)) {
        return { ...current, ...columns };
      }
    }
  }

  /**
   * Removes a row, unless another writer has changed it since `check` has seen it: then `check` is called again.
   *
   * @returns whether it was this call that removed it
   */
  async delete(id: string, at: number, { by = APPLICATION, check }: UpdateTerms): Promise<boolean> {
    for (;;) {
      const current = await this.table.find(id, 'any');
      if (current === null) return false;
      const subscriber = check === undefined ? null : this.mapper.fromRow(current);
      // A row that cannot be read cannot be checked either, and may be removed all the same.
      if (subscriber !== null && !isFault(subscriber)) check!(subscriber);
      const audited = changeOf('removed', current, { at, by });
      if (await this.table.delete(current, audited)) return true;
    }
  }

  /**
   * Keeps the row's revision, since the subscriber itself does not change: other processes need not read the row again.
   *
   * @returns whether the row was written or, with `dryRun`, would be written; null when the secrets do not open
   */
  async resealed(found: SubscriberRow, now: number, dryRun: boolean): Promise<boolean | null> {
    let row: SubscriberRow | null = found;
    while (row !== null) {
      const subscriber = this.mapper.fromRow(row);
      if (isFault(subscriber)) {
        const text = `The secrets of ${row.id} are not sealed again: ${describeFault(subscriber)}`;
        this.#logger.error(new LogLine(text, { subscriberId: row.id }));
        return null;
      }
      const { secrets: all } = subscriber;
      const secrets = withoutExpired(all, now);
      if (this.mapper.isCurrent(row) && secrets === all) return false;
      if (dryRun) return true;
      const columns = this.mapper.sealedColumns(row.id, { ...subscriber, secrets });
      if (await this.table.updateUnchanged(row, columns, null)) return true;
      row = await this.table.find(row.id, 'any');
    }
    return false;
  }

  /** What the audit says of a change; null when each field has its value already. */
  #changed(
    row: SubscriberRow,
    changes: DatedChanges,
    columns: Partial<SubscriberRow>,
    by = APPLICATION,
  ): SubscriberChange | null {
    const fields = this.mapper.changedFields(row, changes);
    if (fields.length === 0) return null;
    return changeOf('changed', { ...row, ...columns }, { at: +changes.updatedAt, by, fields });
  }
}
