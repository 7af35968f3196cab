import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Endpoint } from '../core/model.js';
import type { Refusal } from '../core/refusals.js';
import { t } from '../text/index.js';
import { Button } from '../ui/basics.js';

/** A header as it is typed. Values of stored headers are not known: they are kept, replaced or removed. */
export interface TypedHeader {
  readonly name: string;
  readonly value: string;
  readonly kind: 'kept' | 'replaced' | 'removed' | 'added';
}

export function typedHeaders(endpoint: Endpoint | undefined): readonly TypedHeader[] {
  return (endpoint?.headers ?? []).map((name) => ({ name, value: '', kind: 'kept' }));
}

/** The headers of a change; null removes one. */
export function headersOf(typed: readonly TypedHeader[]): Readonly<Record<string, string | null>> {
  const changed = typed.filter((one) => one.kind !== 'kept' && !isEmpty(one));
  return Object.fromEntries(
    changed.map(({ name, value, kind }) => [name.trim(), kind === 'removed' ? null : value]),
  );
}

/** Two rows of one name would be one header of the request. */
export function headersFault(typed: readonly TypedHeader[]): string | undefined {
  const names = typed.filter((one) => !isEmpty(one)).map(nameOf);
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at);
  return twice === -1 ? undefined : t().refusals.repeated({ pattern: names[twice]! });
}

function nameOf({ name }: TypedHeader): string {
  return name.trim().toLowerCase();
}

/** A row that the user has added and not filled. */
function isEmpty({ name, value, kind }: TypedHeader): boolean {
  return kind === 'added' && name.trim() === '' && value === '';
}

interface Options {
  readonly value: readonly TypedHeader[];
  readonly error: string | undefined;
  readonly refusal: Refusal | undefined;
  readonly onChange: (value: readonly TypedHeader[]) => void;
  /** True: the URL of the endpoint has another origin. */
  readonly isMoved: boolean;
}

export function HeadersField({ value, error, refusal, onChange, isMoved }: Options) {
  const texts = t().credentials;
  const all = useRef<HTMLFieldSetElement>(null);
  const set = (at: number, changes: Partial<TypedHeader>) =>
    onChange(value.map((row, index) => (index === at ? { ...row, ...changes } : row)));
  const remove = (at: number) => {
    onChange(value.filter((_, index) => index !== at));
    // The button that had the focus is gone.
    all.current?.querySelector<HTMLElement>(':scope > .button')?.focus();
  };
  const refused = String(refusal?.data?.['header'] ?? '').toLowerCase();
  return (
    <fieldset ref={all} aria-describedby="headers-error">
      <legend>{texts.headers}</legend>
      <p class="hint">{texts.headersHint}</p>
      {value.map((row, at) => (
        <Row
          key={at}
          row={row}
          label={row.kind === 'added' ? texts.newHeader(at + 1) : texts.header(row.name)}
          hidden={isMoved ? texts.headerAgain : texts.isHidden}
          isWrong={error !== undefined && refused !== '' && nameOf(row) === refused}
          onChange={(changes) => set(at, changes)}
          onRemove={() => remove(at)}
        />
      ))}
      <p class="field-error" id="headers-error" role="alert">
        {error}
      </p>
      <Button onClick={() => onChange([...value, { name: '', value: '', kind: 'added' }])}>
        {texts.addHeader}
      </Button>
    </fieldset>
  );
}

interface RowOptions {
  readonly row: TypedHeader;
  readonly label: string;
  /** The text in place of a value that is kept. */
  readonly hidden: string;
  readonly isWrong: boolean;
  readonly onChange: (changes: Partial<TypedHeader>) => void;
  readonly onRemove: () => void;
}

function Row({ row, label, hidden, isWrong, onChange, onRemove }: RowOptions) {
  const texts = t().credentials;
  const { name, value, kind } = row;
  const turn = (to: TypedHeader['kind']) =>
    onChange({ kind: kind === to ? 'kept' : to, value: '' });
  return (
    <div class="header-row" role="group" aria-label={label}>
      {kind === 'added' ? (
        <Line
          label={texts.headerName}
          value={name}
          isWrong={isWrong}
          placeholder="X-Api-Key"
          isFirst
          onChange={(typed) => onChange({ name: typed })}
        />
      ) : (
        <bdi class="mono break">{name}</bdi>
      )}
      {kind === 'added' || kind === 'replaced' ? (
        <Line
          label={texts.headerValue}
          value={value}
          isWrong={isWrong}
          isFirst={kind === 'replaced'}
          onChange={(typed) => onChange({ value: typed })}
        />
      ) : (
        <span class="hint">{kind === 'removed' ? texts.isRemoved : hidden}</span>
      )}
      <div class="stack">
        {kind === 'added' ? (
          <Button kind="quiet" label={texts.remove(label)} onClick={onRemove}>
            {t().remove}
          </Button>
        ) : (
          <>
            <Button kind="quiet" onClick={() => turn('replaced')}>
              {kind === 'replaced' ? texts.keepValue : texts.replace}
            </Button>
            <Button kind="quiet" onClick={() => turn('removed')}>
              {kind === 'removed' ? texts.keepHeader : t().remove}
            </Button>
          </>
        )}
      </div>
    </div>
  );
}

interface LineOptions {
  readonly label: string;
  readonly value: string;
  readonly isWrong: boolean;
  readonly placeholder?: string;
  /** True: it gets the focus when it appears. */
  readonly isFirst?: boolean;
  readonly onChange: (value: string) => void;
}

function Line({ label, value, isWrong, placeholder = '', isFirst, onChange }: LineOptions) {
  const input = useRef<HTMLInputElement>(null);
  // Before the next key is pressed.
  useLayoutEffect(() => {
    if (isFirst === true) input.current?.focus();
  }, []);
  return (
    <input
      ref={input}
      type="text"
      aria-label={label}
      aria-invalid={isWrong}
      placeholder={placeholder}
      autoComplete="off"
      spellcheck={false}
      value={value}
      onInput={({ currentTarget }) => onChange(currentTarget.value)}
    />
  );
}
