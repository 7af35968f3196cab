import type { ConditionFault } from '../../event/conditions/condition-fields.js';
import type { OperatorName } from '../../event/conditions/condition.js';

/** A row of a table: an entity of an ORM, or a plain object. */
export type Row = Record<string, unknown>;

/** A property of rows that may change: a column, or a relation whose key the row holds. */
export type Field = Column | Relation;

interface Property {
  /** The property, dotted through embedded objects. */
  readonly path: string;
  get(row: object): unknown;
  set(row: object, value: unknown): void;
}

/** A column of a table. */
export interface Column extends Property {
  /** The name in the database. */
  readonly name: string;
  /** The database's type in lower case, such as `varchar`. */
  readonly type: string;
  readonly isArray: boolean;
  /** True for a column that is read only where an event names it. */
  readonly isHidden: boolean;
  /** True if rows have it only through {@link relation}. */
  readonly isVirtual: boolean;
  /** True for a column that something else than the application counts or dates: a version, the time of an update. */
  readonly isAutomatic: boolean;
  /** False for a column that updates leave as it is. */
  readonly isUpdated: boolean;
  /** The relation whose key it holds. */
  readonly relation: Relation | undefined;
  /** Converts a value of a row into the database's value. Undefined when both are the same. */
  readonly toDatabase: ((value: unknown) => unknown) | undefined;
}

/** A relation of a row to rows of another table. */
export interface Relation extends Property {
  readonly target: RowTable;
  /** True if it leads to any number of rows. */
  readonly isMany: boolean;
  /** True if rows are always read with it. */
  readonly isEager: boolean;
  /** True if links in a junction table make it. */
  readonly hasLinks: boolean;
  /** The columns of this table that hold its key; none where the other table, or a junction table, does. */
  readonly columns: readonly Column[];
  /** The columns of {@link target} that they refer to. */
  readonly key: readonly Column[];
}

/** A table of rows with events, as far as events need to know it. */
export interface RowTable {
  /** The name in error texts: of the table, or of its entity. */
  readonly name: string;
  /** The name of the declaration of its settings, for error texts. */
  readonly declaration: string;
  /** Begins the keys of ordered messages: entities in one table have the same. */
  readonly keyPrefix: string;
  readonly key: readonly Column[];
  readonly columns: readonly Column[];
  readonly relations: readonly Relation[];
  /** The paths of embedded objects, each after the objects that contain it. */
  readonly embedded: readonly string[];
  /** Properties that are filled with ids or the like, and are neither columns nor relations. */
  readonly computed: readonly string[];
  /** The column whose date tells that a row is softly removed. */
  readonly deleteDate: Column | undefined;
  /** The properties that events never show. */
  readonly concealed: readonly string[];
  /** The properties that events may show although they are named like secrets. */
  readonly notSecret: readonly string[];
  /** True if the application may put further properties into rows that are read. */
  readonly isOpen: boolean;
  /** True if rows have accessors, for example for lazy relations. */
  readonly hasAccessors: boolean;
  /** Names the declaration of an event for error texts. */
  declarationOf(event: string): string;
  /** Says why no value of a row can equal an operand of a condition. Left out: rows may have values of any kind. */
  operandFault?(path: string, operator: OperatorName, operand: unknown): ConditionFault | undefined;
  /** Tells whether the class of the rows has a getter. */
  hasGetter(name: string): boolean;
  /** The id of a row, or of an object that has the row's key; an object when the key has several columns. */
  idOf(row: object): unknown;
  /** An object of the class of a row. */
  emptyLike(row: object): object;
}

export function isRelation(field: Field): field is Relation {
  return 'target' in field;
}

/** The relations whose keys the rows of a table hold. */
export function keyedRelations({ relations }: RowTable): Relation[] {
  return relations.filter(({ columns }) => columns.length > 0);
}

/** The columns that rows have as properties of their own. */
export function ownColumns({ columns }: RowTable): Column[] {
  return columns.filter(({ isVirtual }) => !isVirtual);
}

/** The property of the row that holds a field: the embedded object of an embedded column. */
export function propertyOf({ path }: Property): string {
  return path.split('.')[0]!;
}

/** A relation and the columns that hold its key are one: either may be set. */
export function withItsKey(field: Field): Field[] {
  if (isRelation(field)) return [field, ...field.columns];
  return field.relation === undefined ? [field] : [field, field.relation];
}

/** A column or relation that a write has set, with the value at that moment: the row may change afterwards. */
export interface FieldValue<Of extends Field = Field> {
  readonly of: Of;
  readonly value: unknown;
}

/** Stands for a value that only the database knows, such as the result of an SQL expression. */
export const UNKNOWN_VALUE: unique symbol = Symbol('unknown');
