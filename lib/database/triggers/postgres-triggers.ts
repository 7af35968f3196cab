import {
  tableLock,
  fittingName,
  type TableTriggers,
  textLiteral,
  type TriggeringEvent,
  type TriggerPlan,
} from './trigger-parts.js';

const LONGEST_NAME = 63;

const TRANSITIONS: Readonly<Record<TriggeringEvent, string>> = {
  insert: 'NEW TABLE AS thorn_new',
  update: 'OLD TABLE AS thorn_old NEW TABLE AS thorn_new',
  delete: 'OLD TABLE AS thorn_old',
};

/** The bits of `tgtype`, and the names of the transition tables. */
const KEPT: Readonly<Record<TriggeringEvent, string>> = {
  insert: '4 - thorn_new',
  update: '16 thorn_old thorn_new',
  delete: '8 thorn_old -',
};

/**
 * What the text of a value depends on. The function sets it for every table, so that a column may be added later; it costs a
 * statement some two microseconds. The names are spelled as the database stores them.
 */
const SETTINGS = [
  ['bytea_output', 'hex'],
  ['extra_float_digits', '1'],
  ['IntervalStyle', 'postgres'],
  ['DateStyle', 'ISO'],
  ['TimeZone', 'UTC'],
] as const;

/**
 * Triggers by statement, with all rows that it has changed, which call one function. The function runs as its owner: whoever
 * writes the table needs no right to write ours. No search path is set, which would cost each statement some microseconds:
 * all names and operators are named with their schema, or are those of the rows, which come before any table.
 */
export function postgresTriggers(plan: TriggerPlan): TableTriggers {
  const { table, shape, names, dialect } = plan;
  const name = fittingName(`${names.prefix}thorn_report_`, table.name, LONGEST_NAME);
  const called = names.functionPath(name);
  const body = functionBody(plan);
  const set = SETTINGS.map(([setting, value]) => `SET ${setting} = '${value}'`).join(' ');
  const stored = SETTINGS.map((pair) => pair.join('=')).join(' ');
  const triggers = (Object.keys(TRANSITIONS) as TriggeringEvent[]).map((event) => {
    const trigger = dialect.identifier(`thorn_${event}`);
    return {
      name: `thorn_${event}`,
      kept: `${KEPT[event]} ${name}`,
      drop: `DROP TRIGGER IF EXISTS ${trigger} ON ${shape.path}`,
      create: `CREATE TRIGGER ${trigger} AFTER ${event.toUpperCase()} ON ${shape.path} REFERENCING ${TRANSITIONS[event]} FOR EACH STATEMENT EXECUTE FUNCTION ${called}()`,
    };
  });
  return {
    create: [
      `CREATE OR REPLACE FUNCTION ${called}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${set} AS ${dollarQuoted(body)}`,
      // Otherwise any role that may create a table could invent changes with a trigger of its own.
      `REVOKE EXECUTE ON FUNCTION ${called}() FROM PUBLIC`,
      ...triggers.flatMap(({ drop, create }) => [drop, create]),
    ],
    drop: [...triggers.map(({ drop }) => drop), `DROP FUNCTION IF EXISTS ${called}()`],
    parts: [
      { name, text: `${body}${stored}` },
      ...triggers.map(({ name: trigger, kept }) => ({ name: trigger, text: kept })),
    ],
  };
}

function functionBody({ table, names, dialect }: TriggerPlan): string {
  const { changes, captured } = names;
  const name = literal(table.name);
  const isHeard = `SELECT c.heard INTO is_heard FROM ${captured} c WHERE c.name OPERATOR(pg_catalog.=) ${name}`;
  const insert = `INSERT INTO ${changes} (tx, source, old_row, new_row) SELECT pg_catalog.txid_current(), ${name}`;
  const on = table.key.map((column) => {
    const quoted = dialect.identifier(column);
    return `o.${quoted} OPERATOR(pg_catalog.=) n.${quoted}`;
  });
  const [first] = table.key.map((column) => dialect.identifier(column));
  const [old, now] = ['o', 'n'].map((alias) => rowOf(alias, table.omit));
  // Compared by their bytes, because not every type has an equality operator. With `omit`, the reported values are
  // compared.
  const differs =
    table.omit.length === 0
      ? 'o.* OPERATOR(pg_catalog.*<>) n.*'
      : `(${documentOf('o', table.omit)}) OPERATOR(pg_catalog.<>) (${documentOf('n', table.omit)})`;
  return `
DECLARE
  is_heard boolean;
BEGIN
  -- A subscription that makes the table heard holds this lock alone, so each change that commits after it is reported.
  IF pg_catalog.pg_try_advisory_xact_lock_shared(${tableLock(table.name)}) THEN
    ${isHeard};
    IF is_heard IS FALSE THEN
      IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
        -- The transaction sees the database as it was: an error where the row has changed since.
        ${isHeard} FOR KEY SHARE;
      END IF;
      RETURN NULL;
    END IF;
  END IF;
  IF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    ${insert}, NULL, ${now} FROM thorn_new n;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    ${insert}, ${old}, NULL FROM thorn_old o;
  ELSE
    ${insert}, CASE WHEN o.${first} IS NULL THEN NULL ELSE ${old} END, CASE WHEN n.${first} IS NULL THEN NULL ELSE ${now} END
    FROM thorn_old o FULL JOIN thorn_new n ON ${on.join(' AND ')}
    WHERE o.${first} IS NULL OR n.${first} IS NULL OR ${differs};
  END IF;
  RETURN NULL;
END
`;
}

function rowOf(alias: string, omit: readonly string[]): string {
  if (omit.length === 0) return `pg_catalog.to_json(${alias}.*)`;
  return `CAST(${documentOf(alias, omit)} AS pg_catalog.json)`;
}

/** The names are values here, so that a column that is dropped later causes no error. */
function documentOf(alias: string, omit: readonly string[]): string {
  const names = omit.map((name) => literal(name)).join(', ');
  return `pg_catalog.to_jsonb(${alias}.*) OPERATOR(pg_catalog.-) ARRAY[${names}]::pg_catalog.text[]`;
}

/**
 * Safe under every setting: the writer's `standard_conforming_strings` decides what a backslash means in a plain
 * literal.
 */
function literal(text: string): string {
  const quoted = textLiteral(text);
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** Names of a table may have any text in them. */
function dollarQuoted(body: string): string {
  let tag = '$thorn$';
  for (let next = 0; body.includes(tag); next++) tag = `$thorn${next}$`;
  return `${tag}${body}${tag}`;
}
