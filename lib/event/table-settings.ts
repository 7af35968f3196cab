import type { Condition } from './conditions/condition.js';
import type {
  ChangedRow,
  ColumnSettings,
  EntityEventSettings,
  FieldTrigger,
  PropertyOf,
} from './event-settings.js';

/** A value as triggers write it down: JSON has no dates, no bytes, and no numbers of any length. */
type ReportedValue<Value> = Value extends WrittenAsText
  ? string
  : Value extends readonly ListedAsTexts[]
    ? { [Index in keyof Value]: ReportedValue<Value[Index]> }
    : Value;

type WrittenAsText = Date | bigint | Uint8Array | DecimalObject;

/** Lists of any other values, such as those of JSON, stay as they are. */
type ListedAsTexts = WrittenAsText | null | readonly ListedAsTexts[];

/** A decimal of a client's own class, as that of Prisma. */
type DecimalObject = object & { toFixed(...digits: never[]): string };

/**
 * A row as events of tables get it: times, decimals of a class, bigints and bytes are texts, in lists as well. See
 * docs/events/tables.md.
 */
export type ReportedValues<Row> = { [Column in keyof Row]: ReportedValue<Row[Column]> };

/** How the messages of a table's events are made. Given for all events of the table, or for one, which wins. */
export type TableEventSettings<Row extends object> = Omit<
  EntityEventSettings<Row>,
  // Nothing is read beside the row that the trigger has written down.
  'relations' | 'reread'
>;

/** The change of a row that an event of a table reacts to, counted once per row and transaction where the database tells. */
export type TableTrigger<Row> = 'create' | 'change' | 'delete' | FieldTrigger<PropertyOf<Row>>;

/** Options of one event of a table. */
export interface TableEventOptions<Row extends object> extends TableEventSettings<Row> {
  /** One trigger, or a list of them: `['create', { change: ['title', 'state'] }]`. */
  readonly on: TableTrigger<Row> | readonly TableTrigger<Row>[];
  /** Sent only when the condition holds; `changes` stands for the changed fields. See docs/conditions.md. */
  readonly when?: Condition<ChangedRow<Row>>;
}

/** Options of `defineTableEvents()`. */
export interface TableOptions<Row extends object>
  extends TableEventSettings<ReportedValues<Row>>, ColumnSettings<Row> {
  /** The column, or the columns, of a primary key or of another unique key without nulls. */
  readonly key: PropertyOf<Row> | readonly PropertyOf<Row>[];
  /** Columns that triggers do not write down, so that no event knows them. Default: none. */
  readonly omit?: readonly PropertyOf<Row>[];
  /** The names of columns in the database, where rows call them otherwise: `{ partnerId: 'partner_id' }`. Default: the same. */
  readonly columns?: { readonly [Property in PropertyOf<Row>]?: string };
  /** The events by their names: dot-separated segments of `[A-Za-z0-9_-]`; `{field}` stands for a value of the row. */
  readonly events: Readonly<Record<string, TableEventOptions<ReportedValues<Row>>>>;
}
