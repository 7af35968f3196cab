import type { RecordedSettings } from '../../event/entity-events.js';
import { orderSetting, type OrderSetting } from '../../message/index.js';
import { valueAtPath } from './payload.js';
import { tableRowKey } from '../table/row-key.js';
import type { Row, RowTable } from '../table/row-table.js';

/** Tells how to find the order keys of an event's messages. Prepared once for each table. */
export interface OrderPlan {
  /** The path that the event names, if it names one. */
  readonly named: readonly string[];
  /** The paths that are read. */
  readonly paths: readonly string[];
  /** The function of the application that gets the row, if there is one. */
  readonly keyFunction?: Function;
  /**
   * @param row what functions get
   * @param whole the row with the columns that are hidden from functions
   */
  keyOf(row: Row, whole: Row): OrderSetting<unknown>;
}

/** @returns undefined when the event's messages have no key */
export function planOrder(
  orderBy: RecordedSettings['orderBy'] = false,
  table: RowTable,
): OrderPlan | undefined {
  const { key, ...rest } = orderSetting(orderBy);
  if (key === false) return undefined;
  if (key === true) {
    return {
      named: [],
      paths: table.key.map(({ path }) => path),
      keyOf: (_row, whole) => {
        const id = tableRowKey(table, whole);
        return { ...rest, key: id === undefined ? undefined : `${table.keyPrefix}:${id}` };
      },
    };
  }
  if (typeof key === 'function') {
    return { named: [], paths: [], keyFunction: key, keyOf: (row) => ({ ...rest, key: key(row) }) };
  }
  return {
    named: [key],
    paths: [key],
    keyOf: (_row, whole) => ({ ...rest, key: valueAtPath(whole, key) }),
  };
}
