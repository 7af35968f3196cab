import type { EntityMetadata } from 'typeorm';
import { columnsNamed, isEntityClass } from '../../event/entity-events.js';
import type { FieldValue, Column, Relation, RowTable } from '../../capture/table/row-table.js';
import { type ChangedValue, setRelation } from '../rows/entity-values.js';
import {
  type Column as ColumnMetadata,
  databaseForm,
  typeName,
  type Field as FieldMetadata,
  type RelationMetadata,
} from '../rows/columns.js';
import { SingleRow } from '../rows/single-row.js';

/** The tables of a data source's entities, each described once. */
export class EntityTables {
  readonly #tables = new Map<EntityMetadata, EntityTable>();

  of(metadata: EntityMetadata): EntityTable {
    let table = this.#tables.get(metadata);
    if (table === undefined) this.#tables.set(metadata, (table = new EntityTable(metadata, this)));
    return table;
  }
}

/** The entity that a described table is of. All tables of a capture are of entities. */
export function metadataOf(table: RowTable): EntityMetadata {
  return entityTableOf(table).metadata;
}

/** {@link metadataOf} with what else is known of the entity. */
export function entityTableOf(table: RowTable): EntityTable {
  return table as EntityTable;
}

/** The relation of TypeORM that a described one is. */
export function relationOf(relation: Relation): RelationMetadata {
  return (relation as EntityRelation).metadata;
}

/** The table of an entity of TypeORM. */
export class EntityTable implements RowTable {
  readonly name: string;
  readonly declaration: string;
  readonly keyPrefix: string;
  readonly columns: readonly EntityColumn[];
  readonly key: readonly EntityColumn[];
  readonly relations: readonly EntityRelation[];
  readonly embedded: readonly string[];
  readonly computed: readonly string[];
  readonly deleteDate: EntityColumn | undefined;
  readonly concealed: readonly string[];
  readonly notSecret: readonly string[];
  readonly isOpen: boolean;
  readonly hasAccessors: boolean;
  /** Undefined where rows hold more than the values of plain columns. */
  readonly single: SingleRow | undefined;

  constructor(
    readonly metadata: EntityMetadata,
    tables: EntityTables,
  ) {
    const { target, childEntityMetadatas, deleteDateColumn } = metadata;
    this.name = metadata.name;
    this.declaration = `@Webhooks on ${metadata.name}`;
    // Subclasses that share a table share its keys.
    this.keyPrefix = metadata.tableNameWithoutPrefix;
    this.columns = metadata.columns.map((column) => new EntityColumn(column, this));
    this.key = metadata.primaryColumns.map((column) => this.column(column));
    this.relations = metadata.relations.map((one) => new EntityRelation(one, this, tables));
    this.embedded = metadata.allEmbeddeds.map(({ propertyPath }) => propertyPath);
    this.computed = metadata.relationIds.map(({ propertyName }) => propertyName);
    this.deleteDate = deleteDateColumn && this.column(deleteDateColumn);
    // Rows of subclasses are in the same table.
    this.concealed = [metadata, ...childEntityMetadatas].flatMap((one) =>
      isEntityClass(one.target) ? columnsNamed(one.target, 'hidden') : [],
    );
    this.notSecret = isEntityClass(target) ? columnsNamed(target, 'notSecret') : [];
    this.isOpen = metadata.afterLoadListeners.length > 0;
    this.hasAccessors = metadata.lazyRelations.length > 0;
    this.single = SingleRow.of(metadata);
  }

  /** Looked up by its name, because a subclass has metadata of its own for the same column. */
  column({ databaseName }: ColumnMetadata): EntityColumn {
    return this.columns.find(({ name }) => name === databaseName)!;
  }

  relation({ propertyPath }: RelationMetadata): EntityRelation {
    return this.relations.find(({ path }) => path === propertyPath)!;
  }

  field(field: FieldMetadata): EntityColumn | EntityRelation {
    return 'inverseEntityMetadata' in field ? this.relation(field) : this.column(field);
  }

  /** The values that a write sets, for the fields of this table. */
  values(changed: readonly ChangedValue[]): FieldValue<EntityColumn | EntityRelation>[] {
    return changed.map(({ of, value }) => ({ of: this.field(of), value }));
  }

  declarationOf(event: string): string {
    return `@WebhookEvent('${event}') on ${this.name}`;
  }

  hasGetter(name: string): boolean {
    const { target } = this.metadata;
    let holder: unknown = typeof target === 'function' ? target.prototype : null;
    while (holder !== null && holder !== undefined && holder !== Object.prototype) {
      const found = Object.getOwnPropertyDescriptor(holder, name);
      if (found !== undefined) return found.get !== undefined;
      holder = Object.getPrototypeOf(holder);
    }
    return false;
  }

  idOf(row: object): unknown {
    return this.metadata.getEntityIdMixedMap(row);
  }

  /** Made by the constructor, like the rows that TypeORM reads, because methods may need private fields. */
  emptyLike(row: object): object {
    const prototype = Object.getPrototypeOf(row) as object;
    // With single-table inheritance, each row is an instance of its own class.
    const made = [this.metadata, ...this.metadata.childEntityMetadatas]
      .find(({ target }) => target === row.constructor)
      ?.create(undefined, { fromDeserializer: true }) as object | undefined;
    return made !== undefined && Object.getPrototypeOf(made) === prototype
      ? made
      : (Object.create(prototype) as object);
  }
}

export class EntityColumn implements Column {
  readonly path: string;
  readonly name: string;
  readonly type: string;
  readonly isArray: boolean;
  readonly isHidden: boolean;
  readonly isVirtual: boolean;
  readonly isAutomatic: boolean;
  readonly isUpdated: boolean;
  readonly toDatabase: ((value: unknown) => unknown) | undefined;

  constructor(
    readonly metadata: ColumnMetadata,
    private readonly table: EntityTable,
  ) {
    this.path = metadata.propertyPath;
    this.name = metadata.databaseName;
    this.type = typeName(metadata);
    this.isArray = metadata.isArray;
    this.isHidden = !metadata.isSelect;
    this.isVirtual = metadata.isVirtual;
    this.isAutomatic = metadata.isUpdateDate || metadata.isVersion;
    this.isUpdated = metadata.isUpdate;
    this.toDatabase =
      metadata.transformer === undefined ? undefined : (value) => databaseForm(metadata, value);
  }

  get relation(): EntityRelation | undefined {
    const { relationMetadata } = this.metadata;
    return relationMetadata && this.table.relation(relationMetadata);
  }

  get(row: object): unknown {
    return this.metadata.getEntityValue(row) as unknown;
  }

  set(row: object, value: unknown): void {
    this.metadata.setEntityValue(row, value);
  }
}

export class EntityRelation implements Relation {
  readonly path: string;
  readonly isMany: boolean;
  readonly isEager: boolean;
  readonly hasLinks: boolean;
  readonly columns: readonly EntityColumn[];
  #key: readonly EntityColumn[] | undefined;

  constructor(
    readonly metadata: RelationMetadata,
    table: EntityTable,
    private readonly tables: EntityTables,
  ) {
    this.path = metadata.propertyPath;
    this.isMany = metadata.isOneToMany || metadata.isManyToMany;
    this.isEager = metadata.isEager;
    this.hasLinks = metadata.junctionEntityMetadata !== undefined;
    this.columns = metadata.isWithJoinColumn
      ? metadata.joinColumns.map((column) => table.column(column))
      : [];
  }

  get target(): EntityTable {
    return this.tables.of(this.metadata.inverseEntityMetadata);
  }

  get key(): readonly EntityColumn[] {
    this.#key ??= this.columns.map(({ metadata }) =>
      this.target.column(metadata.referencedColumn!),
    );
    return this.#key;
  }

  get(row: object): unknown {
    return this.metadata.getEntityValue(row) as unknown;
  }

  set(row: object, value: unknown): void {
    setRelation(row, this.metadata, value);
  }
}
