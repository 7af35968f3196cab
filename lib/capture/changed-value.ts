import type { RelationMetadata } from 'typeorm';
import type { Column } from './row-key.js';

/** A column or relation that an update has set, with the value at that moment: the entity may change afterwards. */
export interface ChangedValue {
  readonly of: Column | RelationMetadata;
  readonly value: unknown;
}
