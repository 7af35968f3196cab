import type { OptionChecks } from '../common/option-checks.js';

/**
 * The answer to a write that names its rows by a condition (`update`, `delete`, `softDelete`, `restore`, `increment`,
 * `upsert` and the query builders behind them) and hits an entity with events that it concerns:
 *
 * - `capture`: the rows are read in the transaction of the write, and their events are sent as for `save()`.
 * - `warn`: the write is made without events, and the log says so once per entity and operation.
 * - `throw`: the write is refused with a `BulkWriteError` before it is made.
 */
export type BulkWrites = 'capture' | 'warn' | 'throw';

/** How changes of entities are noticed: by TypeORM's hooks, or by triggers of the database. */
export type CaptureBy = 'hooks' | 'triggers';

/** How writes are captured that do not name their rows one by one, for all entities or one. */
export interface BulkSettings {
  /**
   * `triggers`: triggers of the database write the changes of all programs down, and workers make the messages; see
   * docs/events/tables.md. No hook is attached then. Default `hooks`.
   */
  readonly capture?: CaptureBy;
  /** The answer to a write by criteria. Default `capture`. */
  readonly bulk?: BulkWrites;
  /**
   * The largest number of rows that one such write may hit. The rows are held in memory until the commit. Default
   * 1,000.
   */
  readonly bulkLimit?: number;
  /**
   * The answer to a write that hits more rows than `bulkLimit`: `throw` refuses it with a `BulkWriteError` before it is
   * made, `warn` lets it pass without events. Default `throw`.
   */
  readonly bulkOverflow?: 'throw' | 'warn';
}

/**
 * The names of the settings. The record makes the compiler complain about a setting that is added to the type and
 * forgotten here.
 */
export const BULK_SETTINGS: { readonly [Name in keyof Required<BulkSettings>]: true } = {
  capture: true,
  bulk: true,
  bulkLimit: true,
  bulkOverflow: true,
};

/** @throws {@link ThornConfigurationError} naming the setting with a wrong value */
export function checkBulkSettings(
  check: OptionChecks,
  { capture, bulk, bulkLimit, bulkOverflow }: BulkSettings,
): void {
  check.oneOf('capture', capture, ['hooks', 'triggers']);
  check.oneOf('bulk', bulk, ['capture', 'warn', 'throw']);
  check.integer('bulkLimit', bulkLimit, { unit: 'rows' });
  check.oneOf('bulkOverflow', bulkOverflow, ['throw', 'warn']);
}
