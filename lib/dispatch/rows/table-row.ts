import { isPlainObject } from '../../common/objects.js';
import type { JoinedTransaction } from '../../database/sql-client.js';
import { InvalidInputError } from '../../errors/index.js';
import {
  dataSchemaOf,
  type EventCatalogue,
  type EventDeclaration,
  type JsonSchema,
} from '../../event/index.js';

/** Names one row of a table of the application, which {@link WebhookDispatcher.sendFor} reads. */
export interface TableRow {
  /** The table, with its schema where the connection needs it: `orders` or `shop.orders`. */
  readonly table: string;
  /** The columns that tell the row from all others, with their values. */
  readonly key: Readonly<Record<string, string | number | bigint>>;
  /** The columns of properties whose names differ: `{ placedAt: 'placed_at' }`. Default: none differ. */
  readonly columns?: Readonly<Record<string, string>>;
}

type Properties = Readonly<Record<string, JsonSchema>>;

/** The fields of a row that an event shows; null when the row does not exist. */
type RowData = Readonly<Record<string, unknown>> | null;

const FIELDS = ['table', 'key', 'columns'];
const KEY_TYPES: ReadonlySet<string> = new Set(['string', 'number', 'bigint']);

/** Reads a row for an event with a schema: the columns that the schema names, and no others. */
export class TableRows {
  readonly #schemas = new Map<EventDeclaration, Properties>();

  constructor(private readonly catalogue: EventCatalogue) {}

  /**
   * @throws {@link InvalidInputError} naming the field that is invalid, when the event has no schema, or when a value does not
   * have the type that the schema names
   * @returns null when there is no such row
   */
  async read(
    row: TableRow,
    event: string,
    { dialect, run, proof }: JoinedTransaction,
  ): Promise<RowData> {
    const properties = this.#propertiesOf(event);
    checkRow(row, properties);
    const { table, key, columns = {} } = row;
    const name = (column: string) => dialect.identifier(column);
    const shown = Object.keys(properties);
    const list = shown.map((property) => {
      const column = name(columns[property] ?? property);
      const { type, format } = properties[property]!;
      // As a text at once: drivers read a large number with fewer digits than it has.
      const isText = [type].flat().includes('string') && format !== 'date-time';
      return `${isText ? dialect.asText(column) : column} AS ${name(property)}`;
    });
    const { condition = '', column = '' } = proof?.reading ?? {};
    if (column !== '') list.push(column);
    const where = Object.keys(key).map((part) => `${name(part)} = ?`);
    const statement = {
      sql: `SELECT ${list.join(', ')} FROM ${table.split('.').map(name).join('.')} WHERE ${where.join(' AND ')} ${condition} LIMIT 2`,
      parameters: Object.values(key),
      answersRows: true,
    };
    const { rows } = await run(statement);
    if (rows.length > 1) {
      throw new InvalidInputError(
        'key',
        `matches several rows of ${table}; name the columns that tell one from all others`,
      );
    }
    const [found] = rows;
    if (found === undefined) return null;
    proof?.learn(found);
    return Object.fromEntries(
      shown.map((property) => [property, typed(found[property], property, properties[property]!)]),
    );
  }

  #propertiesOf(event: string): Properties {
    const declaration = this.catalogue.declarationOf(event);
    const known = declaration && this.#schemas.get(declaration);
    if (known !== undefined) return known;
    const schema = declaration === undefined ? null : dataSchemaOf(declaration);
    const properties = (schema?.['properties'] ?? {}) as Properties;
    if (declaration === undefined || Object.keys(properties).length === 0) {
      throw new InvalidInputError(
        'event',
        `${event} has no schema with properties, which say what to read of the row; declare them with defineEvents(), or read the row and use send()`,
      );
    }
    this.#schemas.set(declaration, properties);
    return properties;
  }
}

/** Tells the row of a table from an entity, which is an instance of a class. */
export function isTableRow(value: object): value is TableRow {
  return isPlainObject(value) && 'table' in value;
}

function checkRow(row: TableRow, properties: Properties): void {
  const { table, key, columns = {} } = row;
  const unknown = Object.keys(row).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) {
    throw new InvalidInputError(
      unknown,
      `is not a field of a row. Valid fields: ${FIELDS.join(', ')}`,
    );
  }
  if (typeof table !== 'string' || table === '') {
    throw new InvalidInputError('table', 'must be the name of a table');
  }
  const isKey =
    isPlainObject(key) &&
    Object.keys(key).length > 0 &&
    Object.values(key).every((value) => KEY_TYPES.has(typeof value));
  if (!isKey) {
    throw new InvalidInputError(
      'key',
      'must name columns with a text, a number or a bigint each, such as { id: 7 }',
    );
  }
  if (
    !isPlainObject(columns) ||
    !Object.values(columns).every((column) => typeof column === 'string')
  ) {
    throw new InvalidInputError(
      'columns',
      "must name a column for each property, such as { placedAt: 'placed_at' }",
    );
  }
  const stray = Object.keys(columns).find((property) => properties[property] === undefined);
  if (stray !== undefined) {
    throw new InvalidInputError(
      'columns',
      `must not name ${stray}, which is not a property of the event's schema`,
    );
  }
}

/** The value with the type that the schema names. Databases have fewer types: SQLite, for one, no true and no objects. */
function typed(value: unknown, property: string, schema: JsonSchema): unknown {
  if (value === null || value === undefined) return null;
  const is = (...types: string[]) =>
    [schema['type']].flat().some((type) => types.includes(type as string));
  if (is('string')) return value;
  if (is('boolean')) return typeof value === 'boolean' ? value : Number(value) !== 0;
  if (is('integer', 'number')) {
    const number = Number(value);
    const isExact =
      Number.isFinite(number) && (Number.isSafeInteger(number) || !Number.isInteger(number));
    return isExact
      ? number
      : refuse(property, 'a number that JSON carries exactly; make it a string in the schema');
  }
  if (is('object', 'array') && typeof value === 'string') {
    try {
      return JSON.parse(value);
    } catch {
      return refuse(property, 'JSON');
    }
  }
  return value;
}

function refuse(property: string, wanted: string): never {
  throw new InvalidInputError(property, `of the row is not ${wanted}`);
}
