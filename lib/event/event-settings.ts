import type { MessageSettings, OrderBy, OrderKey, SubscriberSource } from '../message/index.js';
import type { Condition } from './conditions/condition.js';

type Leaf =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Date
  | RegExp
  | Uint8Array
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ((...args: never[]) => unknown);

type OneLess = [never, 0, 1, 2, 3];

/** The value that a path goes on from: the value itself, a list's elements, what a lazy relation resolves to. */
type Step<Value> =
  NonNullable<Value> extends infer Present
    ? Present extends PromiseLike<infer Resolved>
      ? Step<Resolved>
      : Present extends Leaf
        ? never
        : Present extends readonly (infer Element)[]
          ? Step<Element>
          : Present
    : never;

/** The names of a row's own properties, without its methods. */
export type PropertyOf<Row> = {
  [Key in keyof Row & string]: NonNullable<Row[Key]> extends (...args: never[]) => unknown
    ? never
    : Key;
}[keyof Row & string];

type BranchOf<Row> = {
  [Key in PropertyOf<Row>]: [Step<Row[Key]>] extends [never] ? never : Key;
}[PropertyOf<Row>];

/**
 * A dotted path through an entity's own properties and relations, for example `author.account.id`; at most four
 * segments, lists count as their elements.
 */
export type Path<Row, Levels extends number = 4> = Levels extends 0
  ? never
  : | PropertyOf<Row>
    | {
        [Key in BranchOf<Row>]: `${Key}.${Path<Step<Row[Key]>, OneLess[Levels]>}`;
      }[BranchOf<Row>];

/** A dotted path that ends at a relation (or an embedded object), for example `author.account`. */
export type RelationPath<Row, Levels extends number = 4> = Levels extends 0
  ? never
  : {
      [Key in BranchOf<Row>]: Key | `${Key}.${RelationPath<Step<Row[Key]>, OneLess[Levels]>}`;
    }[BranchOf<Row>];

/** The name of a property that holds a list of entities: a many-to-many relation. */
export type ListRelation<Row> = {
  [Key in BranchOf<Row>]: NonNullable<Row[Key]> extends
    readonly unknown[] | PromiseLike<readonly unknown[]>
    ? Key
    : never;
}[BranchOf<Row>];

/** Values that are merged into the data of an event's messages. */
export type RequestData =
  Readonly<Record<string, unknown>> | (() => Readonly<Record<string, unknown>>);

/** A function of the row, or a constant. */
export type FromRow<Row, Value> = Value | ((row: Row) => Value);

/** What a message is about. Null: what its data, its key and its `ref` tell. */
export type SubjectValue = string | number | bigint | null;

/** An owner's id; with an empty one, only subscribers without an owner get the event. */
export type OwnerValue = string | number | bigint | null | undefined;

/**
 * How the messages of an entity's events are made. Given for all events of an entity with `@Webhooks`, and for one with
 * `@WebhookEvent`; what an event says itself wins.
 */
export interface EntityEventSettings<Entity> extends MessageSettings {
  /**
   * Returns the `data` of the envelope, or a promise of it; undefined is refused. The function gets the complete row:
   * read again before the commit, or, for a removed row, as it was before the removal. Default: an empty object, and
   * the log warns about it at start-up.
   */
  readonly payload?: (row: Entity, change: EntityChange<Entity>) => unknown;
  /** The address of the thing: a template such as `/articles/{id}` or a function; resolved against `baseUrl`. */
  readonly ref?: string | ((row: Entity) => string | null);
  /**
   * What the message is about, by which the delivery log finds its deliveries: a template such as `{number}` or a function.
   * Up to 255 characters; null as left out. Default: the `id` of the data, else the key, else the `ref`.
   */
  readonly subject?: string | ((row: Entity) => SubjectValue);
  /**
   * The owner whose subscribers may see the event: a dotted path such as `author.id`, or a function. Left out: every
   * subscriber. Null, undefined and the empty text: those without an owner alone.
   */
  readonly owner?: Path<Entity> | ((row: Entity) => OwnerValue);
  /**
   * The key that the event's messages are ordered by, see docs/order.md. True: the primary key, such as `article:5`. Or a
   * dotted path such as `tenantId`, or a function. `{ key, private: true }` shows receivers a hash. Default false: no key.
   */
  readonly orderBy?: OrderBy<boolean | Path<Entity> | ((row: Entity) => OrderKey)>;
  /** Extra HTTP headers; never able to replace a system header. */
  readonly headers?: FromRow<Entity, Readonly<Record<string, string>>>;
  /** Receivers in addition to those who match: URLs, objects, lists, functions of the event and its owner. */
  readonly subscribers?: SubscriberSource;
  /** Merged into `data`, whose own keys win: an object, or a function that answers one. Thorn's `request_data`. */
  readonly requestData?: RequestData;
  /** Relations to load for `payload`, `ref`, `subject`, `owner` and `headers` functions; paths given as text load by themselves. */
  readonly relations?: readonly RelationPath<Entity>[];
  /**
   * True: the row is always read again before the payload is made. Set it when a trigger of the database changes the
   * row. Default false: the row is not read again where its values are known, for example after a lone insert.
   */
  readonly reread?: boolean;
  /**
   * True: an error in one of the functions above fails the transaction. Default false: it is logged, the event is
   * dropped and the transaction goes on. A change that a trigger has reported is kept in either case, and can be retried.
   */
  readonly propagateErrors?: boolean;
}

/** Columns of an entity that its events never show. */
export interface ColumnSettings<Entity> {
  /**
   * Properties that events never show: columns, embedded objects and relations. The functions of events are not given them.
   * A change of them alone sends nothing to events that do not name them. Paths (`owner`, `when`, `orderBy`) may name them.
   * A subclass adds its own. Default: columns with `select: false`.
   */
  readonly hidden?: readonly PropertyOf<Entity>[];
  /**
   * Properties that subscribers may see although they are named like a secret, such as `contentHash`: the log does not
   * warn of them at start-up. Default: none.
   */
  readonly notSecret?: readonly PropertyOf<Entity>[];
}

/** The values of one field before and after the transaction; of a relation, the ids of the related rows. */
export interface ValueChange<Value> {
  readonly from: Value;
  readonly to: Value;
}

/**
 * The fields of a row that a transaction has changed: columns, embedded objects, and relations whose key is in the row.
 * It never contains hidden columns, columns with `select: false`, update dates or versions.
 */
export type EntityChanges<Entity> = {
  readonly [Key in PropertyOf<Entity>]?: ValueChange<
    [Step<Entity[Key]>] extends [never] ? Entity[Key] : unknown
  >;
};

/** A row with the fields that have changed, as conditions see it. */
export type ChangedRow<Entity> = 'changes' extends keyof Entity
  ? Entity
  : Entity & { readonly changes: EntityChanges<Entity> };

/** The change of the row that a payload is made for. */
export interface EntityChange<Entity> {
  readonly on: 'create' | 'change' | 'delete' | 'added' | 'removed' | 'cleared';
  /** The row before the transaction, with the columns that were loaded; null on create. */
  readonly before: Partial<Entity> | null;
  /** The changed fields, such as `{ title: { from: 'A', to: 'B' } }`; empty unless `on` is `change`. */
  readonly changes: EntityChanges<Entity>;
  /** Ids of the linked or unlinked rows, when `on` names a relation; else empty. A composite id is an object. */
  readonly ids: readonly unknown[];
  /**
   * The linked or unlinked rows; of one that was removed, and its links with it, as it was before. A row that a statement
   * which is not captured removed is not among them. Empty unless `on` names a relation.
   */
  readonly related: readonly object[];
}

/** Reacts to the links of a many-to-many relation. */
export type RelationTrigger<Relation extends string> = (
  | {
      /** Links were added to this relation. */
      readonly added: Relation;
    }
  | {
      /** Links were removed from this relation. */
      readonly removed: Relation;
    }
  | {
      /** Links were removed from this relation and none is left. */
      readonly cleared: Relation;
    }
) & {
  /** True: one message a link. Default: one a row and transaction, with all the links in its payload's `change`. */
  readonly each?: true;
};

/** Reacts to changes of some fields alone. */
export interface FieldTrigger<Field extends string> {
  /** At least one of these fields was changed. A hidden column counts only when it is named here. */
  readonly change: readonly Field[];
}

/**
 * The change that an entity's event reacts to, counted once per row and transaction, as a reader outside of the
 * transaction sees it. A soft removal counts as delete, a recovery as create.
 */
export type EntityTrigger<Entity> =
  | 'create'
  | 'change'
  | 'delete'
  | FieldTrigger<PropertyOf<Entity>>
  | RelationTrigger<ListRelation<Entity>>;

/** Options of `@WebhookEvent` on an entity. */
export interface EntityEventOptions<Entity> extends EntityEventSettings<Entity> {
  /** One trigger, or a list of them: `['create', { change: ['title', 'state'] }]`. */
  readonly on: EntityTrigger<Entity> | readonly EntityTrigger<Entity>[];
  /** Sent only when the condition holds; `changes` stands for {@link EntityChange.changes}. See docs/conditions.md. */
  readonly when?: Condition<ChangedRow<Entity>>;
  /** False: a soft removal does not count as `delete`, nor a recovery as `create`. Default true. */
  readonly softRemoval?: boolean;
}
