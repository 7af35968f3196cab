/** A class of entities, as TypeORM's repositories take it. */
export type EntityType<Entity extends object> = abstract new (...args: never[]) => Entity;

/** An operator of TypeORM, such as the result of `In()`. */
export interface FindOperatorLike {
  readonly '@instanceof': symbol;
}

type Primitive = string | number | bigint | boolean | symbol | Date | Uint8Array;

/** Conditions on a property, as TypeORM's `find` takes them. Structural: applications without TypeORM have its types not. */
export type PropertyCondition<Property> =
  Property extends Promise<infer Loaded>
    ? PropertyCondition<NonNullable<Loaded>>
    : Property extends readonly (infer Item)[]
      ? PropertyCondition<NonNullable<Item>>
      : Property extends (...args: never[]) => unknown
        ? never
        : Property extends Primitive
          ? Property | FindOperatorLike
          : Property extends object
            ? RowCondition<Property> | RowCondition<Property>[] | FindOperatorLike | boolean
            : Property | FindOperatorLike;

/** Conditions on a row, as TypeORM's `find` takes them in `where`. */
export type RowCondition<Entity> = {
  [Name in keyof Entity]?: PropertyCondition<NonNullable<Entity[Name]>>;
};

/** Selects the rows for which `WebhookDispatcher.sendFor` sends an event. */
export interface RowCriteria<Entity extends object> {
  /** As TypeORM's `find` takes it; an empty object means every row. */
  readonly where: RowCondition<Entity> | RowCondition<Entity>[];
  /** True: soft-removed rows as well, for events that react to `delete`. Default false. */
  readonly withDeleted?: boolean;
  /** Rows that are read, sent and forgotten at a time. Default 500. */
  readonly batch?: number;
}
