import type { Field } from './row-table.js';

/** A column or relation that a write has set, with the value at that moment: the row may change afterwards. */
export interface FieldValue<Of extends Field = Field> {
  readonly of: Of;
  readonly value: unknown;
}

/** Stands for a value that only the database knows: that of an SQL expression. */
export const UNKNOWN_VALUE: unique symbol = Symbol('unknown');
