import { BYTES } from './reported-values.js';
import {
  fittingName,
  reportedColumns,
  type TableTriggers,
  textLiteral,
  type TriggeringEvent,
  type TriggerPlan,
} from './trigger-parts.js';

const LONGEST_NAME = 200;

/** Three triggers by row. */
export function sqliteTriggers(plan: TriggerPlan): TableTriggers {
  const { table, shape, dialect, names } = plan;
  const columns = reportedColumns(plan).map((column) => dialect.identifier(column));
  const isHeard = `(SELECT heard FROM ${names.captured} WHERE name = ${textLiteral(table.name)}) IS NOT 0`;
  const differs = columns
    .map((column) => `OLD.${column} IS NOT NEW.${column} COLLATE BINARY`)
    .join(' OR ');
  const [old, now] = ['OLD', 'NEW'].map((row) => rowOf(row, plan));
  const written = (before: string, after: string) =>
    `BEGIN INSERT INTO ${names.changes} (source, old_row, new_row) VALUES (${textLiteral(table.name)}, ${before}, ${after}); END`;
  const bodies: Readonly<Record<TriggeringEvent, string>> = {
    insert: `WHEN ${isHeard} ${written('NULL', now!)}`,
    update: `WHEN (${differs}) AND ${isHeard} ${written(old!, now!)}`,
    delete: `WHEN ${isHeard} ${written(old!, 'NULL')}`,
  };
  const parts = (Object.keys(bodies) as TriggeringEvent[]).map((event) => {
    const name = fittingName(`thorn_${event}_`, table.name, LONGEST_NAME);
    const text = `CREATE TRIGGER ${dialect.identifier(name)} AFTER ${event.toUpperCase()} ON ${shape.path} FOR EACH ROW ${bodies[event]}`;
    return { name, text };
  });
  const drop = parts.map(({ name }) => `DROP TRIGGER IF EXISTS ${dialect.identifier(name)}`);
  return { create: [...drop, ...parts.map(({ text }) => text)], drop, parts };
}

function rowOf(row: string, plan: TriggerPlan): string {
  const { shape, dialect } = plan;
  const members = reportedColumns(plan).map((column) => {
    const value = `${row}.${dialect.identifier(column)}`;
    const { type } = shape.columns.find(({ name }) => name === column)!;
    const other = /^jsonb?$/.test(type)
      ? `CASE WHEN json_valid(${value}) THEN json(${value}) ELSE ${value} END`
      : value;
    // JSON has no bytes, and any column may hold some.
    const hex = `json_object('${BYTES}', hex(${value}))`;
    // The declared type alone tells JSONB from other bytes. Older programs that write other tables lack this function.
    const bytes =
      type === 'jsonb'
        ? `CASE WHEN json_valid(${value}, 8) THEN json(${value}) ELSE ${hex} END`
        : hex;
    return `${textLiteral(column)}, CASE typeof(${value}) WHEN 'blob' THEN ${bytes} ELSE ${other} END`;
  });
  const objects: string[] = [];
  for (let at = 0; at < members.length; at += MOST_MEMBERS) {
    objects.push(`json_object(${members.slice(at, at + MOST_MEMBERS).join(', ')})`);
  }
  return objects.reduce(
    (all, one) => `substr(${all}, 1, length(${all}) - 1) || ',' || substr(${one}, 2)`,
  );
}

/** A function takes 100 arguments. */
const MOST_MEMBERS = 50;
