import { BulkStatement } from '../../database/bulk-statement.js';
import {
  type Columns,
  idRows,
  type Select,
  select,
  type Tuple,
  write,
} from '../../database/dialect.js';
import {
  fieldOf,
  type FieldsOf,
  kindsOf,
  type NewRowOf,
  type RowOf,
} from '../../database/schema/table-definition.js';
import { ANSWER_COLUMNS, OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import type { AttemptErrorCode, AttemptRecord } from '../../delivery/index.js';
import { keyOf } from './keys.js';
import type { TableNames, Target } from './table-names.js';

// An attempt is stored in a row of `thorn_attempts`, the first one of a delivery in the delivery's own row. Behind times and
// status both have ANSWER_COLUMNS. Only this file maps the columns to the fields of an attempt.

type AttemptRow = Omit<RowOf<typeof OUTBOX_TABLES.attempts>, 'delivery_id'>;
type Answer = keyof typeof ANSWER_COLUMNS;
/** Columns that are made of their fields. Each other one holds the field of {@link AttemptRecord} that has its name. */
type Made = 'error_code' | 'error_message' | 'answer_headers';
type Plain = FieldsOf<Omit<Pick<NewRowOf<typeof OUTBOX_TABLES.attempts>, Answer>, Made>>;

const MADE: { readonly [Column in Made]: (record: AttemptRecord) => string | null } = {
  error_code: ({ error }) => error?.code ?? null,
  error_message: ({ error }) => error?.message ?? null,
  answer_headers: ({ answerHeaders }) =>
    answerHeaders === null ? null : JSON.stringify(answerHeaders),
};

const ANSWERS = Object.keys(ANSWER_COLUMNS) as readonly Answer[];
const PLAIN = ANSWERS.filter((name): name is Exclude<Answer, Made> => !(name in MADE));
/** A value of each column of {@link ANSWERS}. */
const VALUES = ANSWERS.map((name) => {
  if (name in MADE) return MADE[name as Made];
  const field = fieldOf(name as Exclude<Answer, Made>);
  return (record: Plain) => record[field];
});

/** The columns of {@link attemptValues} in a row of `thorn_attempts`. */
const ATTEMPT: Columns = kindsOf(OUTBOX_TABLES.attempts, [
  ...(['started_at', 'duration', 'status'] as const),
  ...ANSWERS,
]);
/** The same of the first attempt, in a row of `thorn_deliveries`. */
export const FIRST_ATTEMPT: Columns = kindsOf(OUTBOX_TABLES.deliveries, [
  ...(['started_at', 'duration', 'response_status'] as const),
  ...ANSWERS,
]);

/** The columns of an attempt behind the first, and the token of the delivery's lease. */
export const TRIED_AGAIN: Columns = {
  delivery_id: 'uuid',
  held_by: 'text',
  number: 'int',
  ...ATTEMPT,
};

const NOT_KEPT: Tuple = Object.keys(ATTEMPT).map(() => null);

/** The values of {@link ATTEMPT} and of {@link FIRST_ATTEMPT}. @param record null: the log does not keep the attempt */
export function attemptValues(record: AttemptRecord | null): Tuple {
  if (record === null) return NOT_KEPT;
  const values: unknown[] = [record.startedAt, record.duration, record.status];
  for (const valueOf of VALUES) values.push(valueOf(record));
  return values;
}

/** The attempts of a delivery, oldest first. Index: the primary keys. */
export function selectAttempts({ tables }: Target, id: string): Select<AttemptRow> {
  const delivery = keyOf('dlv_', id);
  const columns = Object.keys(ATTEMPT);
  const first = Object.keys(FIRST_ATTEMPT).map((name, at) =>
    name === columns[at] ? name : `${name} AS ${columns[at]}`,
  );
  return select(
    `SELECT 1 AS number, ${first.join(', ')}
          FROM ${tables.deliveries} WHERE id = ? AND duration IS NOT NULL
        UNION ALL SELECT number, ${columns.join(', ')}
          FROM ${tables.attempts} WHERE delivery_id = ? ORDER BY number`,
    [delivery, delivery],
  );
}

/** Adds attempts of deliveries that are held. Its rows have {@link TRIED_AGAIN}. Index: the primary keys. */
export function insertAttempts({ dialect, tables }: Target): BulkStatement {
  const names = Object.keys(TRIED_AGAIN).filter((name) => name !== 'held_by');
  return new BulkStatement(dialect, TRIED_AGAIN, (rows) =>
    dialect.insertNew(
      tables.attempts,
      names,
      `SELECT ${names.map((name) => `r.${name}`).join(', ')} FROM ${rows} ${dialect.join} ${tables.deliveries} d ON d.id = r.delivery_id WHERE d.lease = r.held_by`,
    ),
  );
}

/** Deletes the attempts of deliveries. Index: the primary key. */
export function deleteAttemptsOf({ dialect, tables }: Target, deliveries: readonly string[]) {
  const { rows, parameter } = idRows(dialect, deliveries);
  return write(dialect.deleteFrom(tables.attempts, rows, 't.delivery_id = r.id'), [parameter]);
}

/** Drops the answers to attempts of deliveries. Index: the primary key. */
export function dropAnswersOf({ dialect, tables }: Target, deliveries: readonly string[]) {
  const { rows, parameter } = idRows(dialect, deliveries);
  const where = `t.delivery_id = r.id AND ${hasAnswer('t')}`;
  return write(dialect.updateFrom(tables.attempts, DROPPED, rows, where), [parameter]);
}

/** The SET for a delivery's or an attempt's row that drops the answer of the endpoint. */
export const DROPPED = ['response = NULL', 'answer_headers = NULL'];

/** A condition on a delivery's or an attempt's row: it has something to drop. @param row its alias */
export function hasAnswer(row: string): string {
  return `(${row}.response IS NOT NULL OR ${row}.answer_headers IS NOT NULL)`;
}

/** A condition on rows `d` of `thorn_deliveries`: an answer to any of its attempts is stored. */
export function hasAnswers({ attempts }: TableNames): string {
  return `(${hasAnswer('d')} OR EXISTS (SELECT 1 FROM ${attempts} a WHERE a.delivery_id = d.id AND ${hasAnswer('a')}))`;
}

/** Reads a row of {@link selectAttempts}. */
export function parseAttemptRow(row: AttemptRow): AttemptRecord {
  const { error_code: code, error_message: message, answer_headers: headers } = row;
  const plain = PLAIN.map((name) => [fieldOf(name), row[name]]);
  return {
    number: Number(row.number),
    startedAt: Number(row.started_at),
    duration: Number(row.duration),
    status: row.status === null ? null : Number(row.status),
    error: code === null ? null : { code: code as AttemptErrorCode, message: message ?? '' },
    answerHeaders:
      headers === null ? null : (JSON.parse(headers) as AttemptRecord['answerHeaders']),
    ...(Object.fromEntries(plain) as Plain),
  };
}
