import { SECONDS } from './reported-values.js';
import type { DatabaseColumn } from './table-shape.js';
import {
  fittingName,
  reportedColumns,
  type TableTriggers,
  textLiteral,
  type TriggeringEvent,
  type TriggerPlan,
} from './trigger-parts.js';

const LONGEST_NAME = 64;

/**
 * Three triggers by row. They run with the rights of the user that creates them: the user that writes the table needs
 * no right to write the library's tables.
 */
export function mysqlTriggers(plan: TriggerPlan): TableTriggers {
  const { table, shape, dialect, names } = plan;
  const name = literal(table.name);
  // Under REPEATABLE READ, reading would not be enough: the trigger takes the lock. So it sees the row as it is now,
  // even in a transaction that has read before. And a subscription that makes the table heard waits for writers that
  // found it not heard.
  const isHeard = `COALESCE((SELECT c.heard FROM ${names.captured} c WHERE c.name = ${name} LOCK IN SHARE MODE), 1)`;
  const [old, now] = ['OLD', 'NEW'].map((row) => rowOf(row, plan));
  const written = (before: string, after: string) =>
    `IF ${isHeard} THEN INSERT INTO ${names.changes} (source, old_row, new_row) VALUES (${name}, ${before}, ${after}); END IF`;
  const bodies: Readonly<Record<TriggeringEvent, string>> = {
    insert: written('NULL', now!),
    update: `IF NOT (${isSame(plan)}) THEN ${written(old!, now!)}; END IF`,
    delete: written(old!, 'NULL'),
  };
  const parts = (Object.keys(bodies) as TriggeringEvent[]).map((event) => ({
    event,
    name: fittingName(`thorn_${event}_`, table.name, LONGEST_NAME),
    text: bodies[event],
  }));
  const drop = parts.map((part) => `DROP TRIGGER IF EXISTS ${dialect.identifier(part.name)}`);
  const replaces = plan.isMariadb ? 'OR REPLACE ' : '';
  const create = parts.map(
    (part) =>
      `CREATE ${replaces}TRIGGER ${dialect.identifier(part.name)} AFTER ${part.event.toUpperCase()} ON ${shape.path} FOR EACH ROW ${part.text}`,
  );
  return { create: plan.isMariadb ? create : [...drop, ...create], drop, parts };
}

/** Values of these types are equal when their texts are. */
const PLAIN =
  /^(?:(?:tiny|small|medium|big)?int|tinyint\(1\)|integer|decimal|date|time|datetime|year|bit)$/;

/** Whether an update has changed no reported column. */
function isSame(plan: TriggerPlan): string {
  const isPlain = new Set(
    plan.shape.columns.filter(({ type }) => PLAIN.test(type)).map(({ name }) => name),
  );
  // Compared by their bytes: texts that differ only in case would count as equal.
  const parts = reportedColumns(plan).map((column) => {
    const how = isPlain.has(column) ? '' : 'BINARY ';
    const quoted = plan.dialect.identifier(column);
    return `${how}OLD.${quoted} <=> ${how}NEW.${quoted}`;
  });
  return parts.join(' AND ');
}

function rowOf(row: string, plan: TriggerPlan): string {
  const { dialect, shape } = plan;
  const members = reportedColumns(plan).map((name) => {
    const column = shape.columns.find((one) => one.name === name)!;
    return `${literal(name)}, ${valueOf(`${row}.${dialect.identifier(name)}`, column)}`;
  });
  return `JSON_OBJECT(${members.join(', ')})`;
}

const BYTES = /^(?:binary|varbinary|(?:tiny|medium|long)?blob)$/;
const SHAPES = /^(?:geometry|point|linestring|polygon|multi\w+|geometrycollection|geomcollection)$/;

function valueOf(value: string, { type }: DatabaseColumn): string {
  if (BYTES.test(type)) return `HEX(${value})`;
  if (SHAPES.test(type)) return `ST_AsText(${value})`;
  if (type === 'bit') return `CAST(${value} AS UNSIGNED)`;
  // A plain value would be in the time zone of the writer's connection.
  if (type === 'timestamp') return `CONCAT('${SECONDS}', UNIX_TIMESTAMP(${value}))`;
  // Without this the value would be a text, where the database stores JSON as text.
  if (type === 'json') return `JSON_EXTRACT(${value}, '$')`;
  return value;
}

/** `NO_BACKSLASH_ESCAPES` is refused by the library as a whole. */
function literal(text: string): string {
  return textLiteral(text).replaceAll('\\', '\\\\');
}
