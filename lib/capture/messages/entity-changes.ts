import type { EntityChanges, ValueChange } from '../../event/index.js';
import type { NetChange } from '../changes/net-change.js';
import type { EventPlan } from '../plan/event-plan.js';
import { isEmptyLink, withoutPaths } from '../table/row-copy.js';
import { type Field, isRelation, propertyOf, type Relation, type Row } from '../table/row-table.js';

/** A changed row, with everything that is known of its change. */
interface Changed {
  readonly net: NetChange;
  readonly before: object;
  readonly row: object;
  readonly event: EventPlan;
}

/** The names of changed fields, without those of columns that are not selected. */
export function changedNames(
  changed: readonly Field[],
  { plan: { changeable } }: Pick<NetChange, 'plan'>,
): readonly string[] {
  return [...new Set(changed.flatMap(propertiesOf))].filter((name) => changeable.includes(name));
}

/** The changed fields as a payload may see them: without columns that are not selected. */
export function changesOf(
  changed: readonly Field[],
  { net, before, row, event: { concealed } }: Changed,
): EntityChanges<Row> {
  const { table } = net.plan;
  const changes: Record<string, ValueChange<unknown>> = {};
  for (const name of changedNames(changed, net)) {
    const relation = table.relations.find(({ path }) => path === name);
    const valueIn = (of: object): unknown =>
      relation === undefined
        ? withoutPaths({ [name]: (of as Row)[name] }, concealed, table)[name]
        : relatedId(relation, of);
    const newId = (of: Relation): unknown => {
      const id = relatedId(of, row);
      // A relation that no path names was not loaded with the row.
      return id === undefined ? keyOf(net.changed.get(of)?.value, of) : id;
    };
    let change = { from: valueIn(before), to: relation ? newId(relation) : valueIn(row) };
    for (const embedded of changed) {
      if (!isRelation(embedded) || !embedded.path.startsWith(`${name}.`)) continue;
      const path = embedded.path.split('.').slice(1);
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
  const same = isRelation(field)
    ? field.columns.filter(({ isVirtual }) => !isVirtual)
    : [field.relation].filter((relation) => relation !== undefined);
  return [field, ...same].map(propertyOf);
}

/**
 * The id of the related row; an object when its key has several columns. Undefined when the relation was not loaded.
 */
function relatedId(relation: Relation, row: object): unknown {
  const related = relation.get(row);
  if (related !== undefined) return keyOf(related, relation);
  const [column, ...others] = relation.columns;
  return column === undefined || column.isVirtual || others.length > 0
    ? undefined
    : column.get(row);
}

function keyOf(related: unknown, relation: Relation): unknown {
  if (typeof related !== 'object' || related === null) return related;
  if (isEmptyLink(related, relation)) return null;
  const { key } = relation;
  if (key.length === 1) return key[0]!.get(related);
  return Object.fromEntries(key.map((column) => [column.path, column.get(related)]));
}
