import type { Field } from '../rows/typeorm-types.js';

/** The property of the row that holds a field: the embedded object of an embedded column. */
export function propertyOf({ propertyPath }: Field): string {
  return propertyPath.split('.')[0]!;
}

/** A relation and the column that holds its key are one: TypeORM reports whichever was set. */
export function withItsKey(field: Field): Field[] {
  if ('joinColumns' in field) return [field, ...field.joinColumns];
  return field.relationMetadata === undefined ? [field] : [field, field.relationMetadata];
}
