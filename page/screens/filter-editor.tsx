import { useState } from 'preact/hooks';
import {
  type FilterOperator,
  filterOf,
  type FilterRow,
  type FilterRows,
  OPERATORS,
  rowsOf,
} from '../core/filter-rows.js';
import { t } from '../text/index.js';
import { Button, Field } from '../ui/basics.js';
import { FilterPreview } from './filter-preview.js';
import { useFieldNames } from './field-names.js';

interface EditorOptions {
  /** The filter as JSON; empty for none. */
  readonly text: string;
  readonly events: readonly string[];
  readonly exclude: readonly string[];
  readonly error: string | undefined;
  readonly onChange: (text: string) => void;
}

const NEW_ROW: FilterRow = { field: '', operator: 'eq', value: '' };

/** Edits a filter as rows, or as JSON when rows cannot express it, and shows the messages that it would let through. */
export function FilterEditor({ text, events, exclude, error, onChange }: EditorOptions) {
  const [rows, setRows] = useState<FilterRows | null>(() => parsedRows(text));
  const [isTooComplex, setTooComplex] = useState(false);
  const change = (next: FilterRows) => {
    setRows(next);
    const filter = filterOf(next);
    onChange(filter === null ? '' : JSON.stringify(filter, null, 2));
  };
  const turn = () => {
    if (rows !== null) return setRows(null);
    const parsed = parsedRows(text);
    setTooComplex(parsed === null);
    setRows(parsed);
  };
  return (
    <>
      {rows === null ? (
        <Field label={t().form.filterJson} hint={t().filterHint} error={error}>
          {(attributes) => (
            <textarea
              {...attributes}
              spellcheck={false}
              value={text}
              onInput={({ currentTarget }) => {
                setTooComplex(false);
                onChange(currentTarget.value);
              }}
            />
          )}
        </Field>
      ) : (
        <Rows value={rows} events={events} error={error} onChange={change} />
      )}
      <div role="status">{isTooComplex && <p class="hint">{t().form.tooComplex}</p>}</div>
      <div class="stack">
        {rows !== null && (
          <Button onClick={() => change({ join: rows.join, rows: [...rows.rows, NEW_ROW] })}>
            {t().form.addCondition}
          </Button>
        )}
        <Button kind="quiet" onClick={turn}>
          {rows === null ? t().form.asRows : t().form.asJson}
        </Button>
      </div>
      <FilterPreview text={text} events={events} exclude={exclude} />
    </>
  );
}

function parsedRows(text: string): FilterRows | null {
  if (text.trim() === '') return { join: 'AND', rows: [] };
  try {
    return rowsOf(JSON.parse(text));
  } catch {
    return null;
  }
}

interface RowsOptions {
  readonly value: FilterRows;
  readonly events: readonly string[];
  readonly error: string | undefined;
  readonly onChange: (value: FilterRows) => void;
}

function Rows({ value, events, error, onChange }: RowsOptions) {
  const { join, rows } = value;
  const names = useFieldNames(events);
  const set = (at: number, changes: Partial<FilterRow>) =>
    onChange({
      join,
      rows: rows.map((row, index) => (index === at ? { ...row, ...changes } : row)),
    });
  const texts = t().form;
  return (
    <>
      <p class="hint">{texts.rowsHint}</p>
      {rows.length > 1 && (
        <Field label={texts.join}>
          {(attributes) => (
            <select
              {...attributes}
              value={join}
              onChange={({ currentTarget }) =>
                onChange({ join: currentTarget.value as FilterRows['join'], rows })
              }
            >
              <option value="AND">{texts.joinAnd}</option>
              <option value="OR">{texts.joinOr}</option>
            </select>
          )}
        </Field>
      )}
      <datalist id="field-names">
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {rows.map((row, at) => (
        <Row
          key={at}
          row={row}
          number={at + 1}
          onChange={(changes) => set(at, changes)}
          onRemove={() => onChange({ join, rows: rows.filter((_, index) => index !== at) })}
        />
      ))}
      <p class="field-error" role="alert">
        {error}
      </p>
    </>
  );
}

interface RowOptions {
  readonly row: FilterRow;
  readonly number: number;
  readonly onChange: (changes: Partial<FilterRow>) => void;
  readonly onRemove: () => void;
}

function Row({ row, number, onChange, onRemove }: RowOptions) {
  const { field, operator, value } = row;
  const texts = t().form;
  const hasValue = operator !== 'present' && operator !== 'absent';
  return (
    <div class="filter-row" role="group" aria-label={texts.condition(number)}>
      <input
        type="text"
        aria-label={texts.field}
        placeholder="customer.country"
        list="field-names"
        autoComplete="off"
        spellcheck={false}
        value={field}
        onInput={({ currentTarget }) => onChange({ field: currentTarget.value })}
      />
      <select
        aria-label={texts.operator}
        value={operator}
        onChange={({ currentTarget }) =>
          onChange({ operator: currentTarget.value as FilterOperator })
        }
      >
        {OPERATORS.map((one) => (
          <option key={one} value={one}>
            {texts.operators[one]}
          </option>
        ))}
      </select>
      {hasValue && (
        <input
          type="text"
          aria-label={texts.value}
          placeholder={operator === 'in' || operator === 'notIn' ? 'AT, CH' : ''}
          autoComplete="off"
          spellcheck={false}
          value={value}
          onInput={({ currentTarget }) => onChange({ value: currentTarget.value })}
        />
      )}
      <Button kind="quiet" label={texts.removeCondition(number)} onClick={onRemove}>
        {t().remove}
      </Button>
    </div>
  );
}
