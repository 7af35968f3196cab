import { isPlainObject } from '../../common/objects.js';
import { OptionChecks } from '../../common/option-checks.js';
import type { DialectName } from '../../database/dialect.js';
import type { ReportedTable } from '../../database/triggers/reported-table.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { TableOptions } from '../../event/index.js';
import { checkTableEvent, checkTableSettings } from '../decorators/declaration-checks.js';
import { type DescribedTable, describeDrizzleTable, type DrizzleTable } from './drizzle-table.js';
import { compileCondition } from '../../event/conditions/condition-compile.js';
import { type DeclaredEntityEvent, triggersOf } from '../../event/entity-events.js';
import { compileEventName } from '../../event/event-name.js';
import { orderSetting } from '../../message/index.js';
import { templateFields } from '../plan/payload.js';

/** Events that are declared on a table, for the option `tables` of the module and for `createTableTriggers()`. */
export interface TableEvents extends ReportedTable {
  /** The name of the declaration, for error texts: `defineTableEvents('orders')`. */
  readonly declaration: string;
  readonly events: readonly DeclaredEntityEvent[];
  /** The names of columns in the database by their properties, where they differ. */
  readonly columns: Readonly<Record<string, string>>;
  /** Properties that events never show. */
  readonly hidden: readonly string[];
  /** Properties that events may show although they are named like secrets. */
  readonly notSecret: readonly string[];
  /** The database that the table is of. Undefined: any. */
  readonly dialect: DialectName | undefined;
  /**
   * Converts the value that a trigger reports for a column into the value of its property. Default: the value is taken
   * as it is.
   */
  readonly readers: Readonly<Record<string, (value: unknown) => unknown>>;
}

/** Options once they are checked, of any row. */
type Checked = Omit<TableOptions<Record<string, unknown>>, 'events' | 'columns'> & {
  readonly columns?: Readonly<Record<string, string>>;
  readonly events: Readonly<Record<string, DeclaredEntityEvent['options']>>;
};

/** Options of `defineTableEvents()` for a table of Drizzle, which tells its key and the names of its columns. */
type DrizzleTableOptions<Row extends object> = Omit<TableOptions<Row>, 'key'> &
  Partial<Pick<TableOptions<Row>, 'key'>>;

/**
 * Declares events on a table. They are sent for every write, whether it comes from a client, from SQL by hand or from
 * another program: triggers of the database record each change in its transaction, and workers make messages of the
 * committed changes. Give the result to the option `tables` of the module, and create the triggers with
 * `npx thorn triggers`.
 *
 * @param name the name of the table in the database, such as `orders`; with its schema, such as `shop.orders`, when
 *   that is not the schema of the connection
 * @throws {@link ThornConfigurationError} naming the declaration and the fix
 *
 * @example
 * ```ts
 * export const orders = defineTableEvents<Order>('orders', {
 *   key: 'id',
 *   owner: 'partnerId',
 *   payload: ({ id, total }) => ({ id, total }),
 *   events: {
 *     'order.placed': { on: 'create' },
 *     'order.paid': { on: 'change', when: { state: { nowEq: 'PAID' } } },
 *   },
 * });
 * ```
 */
export function defineTableEvents<Row extends object = Record<string, unknown>>(
  name: string,
  options: TableOptions<NoInfer<Row>>,
): TableEvents;
/**
 * Declares events on a table of Drizzle, typed and named by it.
 *
 * @example
 * ```ts
 * export const orderEvents = defineTableEvents(orders, { events: { 'order.placed': { on: 'create' } } });
 * ```
 */
export function defineTableEvents<Row extends object>(
  table: DrizzleTable<Row>,
  options: DrizzleTableOptions<NoInfer<Row>>,
): TableEvents;
export function defineTableEvents(given: unknown, options: object): TableEvents {
  const isNamed = typeof given === 'string' && given !== '';
  const table = isNamed ? { ...ANY_TABLE, name: given } : describeDrizzleTable(given);
  if (table !== undefined) return declare(table, options);
  throw new ThornConfigurationError(
    'THORN_DECLARATION_INVALID',
    "defineTableEvents(): the first argument must be the name of a table, such as 'orders', or a table of Drizzle",
  );
}

/** Stands for a table of which only the name is known. */
const ANY_TABLE = { dialect: undefined, key: undefined, columns: {}, readers: {} };

function declare(table: DescribedTable | (typeof ANY_TABLE & { name: string }), given: object) {
  const declaration = `defineTableEvents('${table.name}')`;
  new OptionChecks(declaration).given(given);
  const isKeyed = table.key !== undefined && table.key.length > 0;
  const options = { ...(isKeyed && { key: table.key }), ...given } as Record<string, unknown>;
  checkTableSettings(declaration, options);
  const { events, key, omit = [], hidden = [], notSecret = [], ...more } = options as Checked;
  const { columns: named, ...shared } = more;
  checkEvents(declaration, events);
  const columns = { ...table.columns, ...named };
  const names = (properties: readonly string[]) => properties.map((one) => columns[one] ?? one);
  const declared = Object.entries(events).map(([event, own]) => {
    checkTableEvent(`${declaration}, event ${event}`, event, own as {});
    return { name: event, options: { ...shared, ...own }, declaredBy: { name: declaration } };
  });
  const keys = [key].flat();
  checkNotOmitted({ declaration, keys, omit, events: declared });
  const { name, dialect, readers } = table;
  const made: TableEvents = {
    ...{ name, key: names(keys), omit: names(omit), declaration, events: declared },
    ...{ columns, hidden, notSecret, dialect, readers },
  };
  DECLARED.push(new WeakRef(made));
  return made;
}

/** Not kept alive: a declaration that nothing refers to can be in no application. */
const DECLARED: WeakRef<TableEvents>[] = [];

/** The declarations of this process that are still referenced, whichever application names them. */
export function declaredTables(): readonly TableEvents[] {
  return DECLARED.map((one) => one.deref()).filter((one) => one !== undefined);
}

function checkEvents(declaration: string, events: unknown): void {
  const isFine =
    isPlainObject(events) &&
    Object.keys(events).length > 0 &&
    Object.values(events).every((one) => isPlainObject(one));
  new OptionChecks(declaration).assert(
    'events',
    isFine,
    "must be an object of events by name, for example { 'order.placed': { on: 'create' } }",
  );
}

interface Declaration {
  readonly declaration: string;
  readonly keys: readonly string[];
  readonly omit: readonly string[];
  readonly events: readonly DeclaredEntityEvent[];
}

/**
 * Refuses events that need a column which triggers do not write down.
 *
 * @throws {@link ThornConfigurationError} naming the setting and the column
 */
function checkNotOmitted({ declaration, keys, omit, events }: Declaration): void {
  const refuse = (place: string, setting: string, column: string): never => {
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${place}: ${setting} names ${column}, which triggers do not report because of omit. ` +
        `Take ${column} out of omit; to keep it from payloads alone, name it in hidden`,
      { declaration, column },
    );
  };
  const omittedOf = (paths: readonly string[]) =>
    omit.find((column) => paths.some((path) => path === column || path.startsWith(`${column}.`)));
  const omittedKey = omittedOf(keys);
  if (omittedKey !== undefined) refuse(declaration, 'key', omittedKey);
  for (const event of events) {
    for (const [setting, paths] of Object.entries(pathsOf(event))) {
      const column = omittedOf(paths);
      if (column !== undefined) refuse(`${declaration}, event ${event.name}`, setting, column);
    }
  }
}

/** The paths that the settings of an event name. */
function pathsOf({ name, options }: DeclaredEntityEvent): Readonly<Record<string, string[]>> {
  const { ref, subject, owner, orderBy = false, when } = options;
  const { key } = orderSetting(orderBy);
  const condition = when === undefined ? undefined : compileCondition(when);
  return {
    'the name': [...compileEventName(name).paths],
    ref: typeof ref === 'string' ? templateFields(ref) : [],
    subject: typeof subject === 'string' ? templateFields(subject) : [],
    owner: typeof owner === 'string' ? [owner] : [],
    orderBy: typeof key === 'string' ? [key] : [],
    on: triggersOf(options).flatMap((on) =>
      typeof on === 'object' && 'change' in on ? [...on.change] : [],
    ),
    when: (condition?.paths ?? []).map((path) => path.replace(/^changes\./, '')),
  };
}
