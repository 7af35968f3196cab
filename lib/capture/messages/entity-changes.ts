import type { ObjectLiteral } from 'typeorm';
import type { EntityChanges, ValueChange } from '../../event/index.js';
import type { NetChange } from '../changes/net-change.js';
import { propertyOf } from '../plan/entity-fields.js';
import type { EventPlan } from '../plan/entity-plan.js';
import { isEmptyLink, withoutPaths } from '../rows/row-copy.js';
import type { Field, RelationMetadata } from '../rows/typeorm-types.js';

/** A changed row, with everything that is known of its change. */
interface Changed {
  readonly net: NetChange;
  readonly before: ObjectLiteral;
  readonly row: ObjectLiteral;
  readonly event: EventPlan;
}

/** The changed fields as a payload may see them: without columns that are not selected. */
export function changesOf(
  changed: readonly Field[],
  { net, before, row, event: { concealed } }: Changed,
): EntityChanges<ObjectLiteral> {
  const { metadata, changeable } = net.plan;
  const changes: Record<string, ValueChange<unknown>> = {};
  for (const name of new Set(changed.flatMap(propertiesOf))) {
    if (!changeable.includes(name)) continue;
    const relation = metadata.relations.find(({ propertyPath }) => propertyPath === name);
    const valueIn = (of: ObjectLiteral): unknown =>
      relation === undefined
        ? withoutPaths({ [name]: of[name] as unknown }, concealed, metadata)[name]
        : relatedId(relation, of);
    const newId = (of: RelationMetadata): unknown => {
      const id = relatedId(of, row);
      // A relation that no path names was not loaded with the row.
      return id === undefined ? keyOf(net.values.get(of)?.value, of) : id;
    };
    let change = { from: valueIn(before), to: relation ? newId(relation) : valueIn(row) };
    for (const embedded of changed) {
      if (!('joinColumns' in embedded) || !embedded.propertyPath.startsWith(`${name}.`)) continue;
      const path = embedded.propertyPath.split('.').slice(1);
      change = {
        from: withValueAt(change.from, path, relatedId(embedded, before)),
        to: withValueAt(change.to, path, newId(embedded)),
      };
    }
    changes[name] = change;
  }
  return changes;
}

/** A copy of an embedded object with another value at a path. */
function withValueAt(object: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  const copy: Record<string, unknown> = { ...(object as object) };
  copy[key!] = rest.length === 0 ? value : withValueAt(copy[key!], rest, value);
  return copy;
}

/** A relation's key may be a property of its own as well. */
function propertiesOf(field: Field): string[] {
  const same =
    'joinColumns' in field
      ? field.joinColumns.filter(({ isVirtual }) => !isVirtual)
      : [field.relationMetadata].filter((relation) => relation !== undefined);
  return [field, ...same].map(propertyOf);
}

/** The id of the related row; that of a composite key is an object. Undefined when it was not loaded. */
function relatedId(relation: RelationMetadata, row: ObjectLiteral): unknown {
  const related: unknown = relation.getEntityValue(row);
  if (related !== undefined) return keyOf(related, relation);
  const [column, ...others] = relation.joinColumns;
  return column === undefined || column.isVirtual || others.length > 0
    ? undefined
    : column.getEntityValue(row);
}

function keyOf(related: unknown, relation: RelationMetadata): unknown {
  if (typeof related !== 'object' || related === null) return related;
  if (isEmptyLink(related, relation)) return null;
  const columns = relation.joinColumns.map(({ referencedColumn }) => referencedColumn!);
  if (columns.length === 1) return columns[0]!.getEntityValue(related);
  return Object.fromEntries(
    columns.map((column) => [column.propertyPath, column.getEntityValue(related)]),
  ) as unknown;
}
