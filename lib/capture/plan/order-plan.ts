import type { EntityMetadata, ObjectLiteral } from 'typeorm';
import type { RecordedSettings } from '../../event/entity-events.js';
import { orderSetting, type OrderSetting } from '../../message/index.js';
import { valueAtPath } from '../payload/value-at-path.js';
import { rowKey } from '../rows/row-key.js';

/** Where the keys of an event's messages come from, made ready once for one entity. */
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
  keyOf(row: ObjectLiteral, whole: ObjectLiteral): OrderSetting<unknown>;
}

/** @returns undefined when the event's messages have no key */
export function planOrder(
  orderBy: RecordedSettings['orderBy'] = false,
  metadata: EntityMetadata,
): OrderPlan | undefined {
  const { key, ...rest } = orderSetting(orderBy);
  if (key === false) return undefined;
  if (key === true) {
    // By the table: subclasses that share it share its keys, and other entities have others.
    const prefix = metadata.tableNameWithoutPrefix;
    return {
      named: [],
      paths: metadata.primaryColumns.map(({ propertyPath }) => propertyPath),
      keyOf: (_row, whole) => {
        const id = rowKey(metadata, whole);
        return { ...rest, key: id === undefined ? undefined : `${prefix}:${id}` };
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
