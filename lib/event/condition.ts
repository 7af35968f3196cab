/** What must hold for an event to be sent; typed against the entity. */
export type Condition<Row> = { readonly [Key in keyof Row]?: unknown };

/** A condition made into a function, once. */
export interface CompiledCondition {
  /** Every dotted path that is read of the new row. */
  readonly paths: readonly string[];
  /** Those of them that are also read of the row before the change (transitions). */
  readonly beforePaths: readonly string[];
  /** @param before the row before the change; null on create, when every previous value counts as absent */
  holds(now: unknown, before: unknown): boolean;
}
