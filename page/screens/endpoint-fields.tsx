import type { JSX } from 'preact';
import { isoTime, localTime } from '../core/local-time.js';
import type { Endpoint } from '../core/model.js';
import { dateTime, t } from '../text/index.js';
import { Field } from '../ui/basics.js';
import { Failure } from '../ui/screen.js';
import { EventPicker, useCatalogue } from './event-picker.js';
import { FilterEditor } from './filter-editor.js';
import { isOrder, OrderField, orderOf, orderText, typedOrder } from './order-field.js';
import {
  isRateLimit,
  RateLimitField,
  rateLimitOf,
  rateLimitText,
  typedRateLimit,
} from './rate-limit-field.js';

/** The properties of the input of a field. */
interface InputOptions<Typed> {
  readonly value: Typed;
  readonly error: string | undefined;
  readonly onChange: (value: Typed) => void;
  /** The endpoint as it was read; undefined for a new one. */
  readonly endpoint: Endpoint | undefined;
  /** The events that are chosen in the form. */
  readonly chosen: Pick<Endpoint, 'events' | 'exclude'>;
}

/** A field of the form of an endpoint. */
interface FormField<Typed> {
  /** The fields of the API that it asks for. Why the API refuses one of them is shown beside the input. */
  readonly names: readonly (keyof Endpoint)[];
  readonly label: () => string;
  /** The value of an endpoint as it is typed; for a new endpoint the value that the form begins with. */
  readonly typed: (endpoint: Endpoint | undefined) => Typed;
  /** The fields for the API. */
  readonly sent: (typed: Typed) => Partial<Endpoint>;
  /** The reason why the fields cannot be sent. Default: only the API checks the fields. */
  readonly fault?: (typed: Typed, form: HTMLFormElement) => string | undefined;
  /** The value as a text, empty for no value. It is shown in the settings, and when another user has changed the field. */
  readonly text: (endpoint: Endpoint) => string;
  readonly Input: (options: InputOptions<Typed>) => JSX.Element;
}

function field<Typed>(of: FormField<Typed>): FormField<Typed> {
  return of;
}

interface TextTexts {
  readonly label: () => string;
  readonly hint: () => string;
}

/** A text in one line, which may be left empty. */
function textField(name: 'description', { label, hint }: TextTexts): FormField<string> {
  return {
    ...{ names: [name], label },
    typed: (endpoint) => endpoint?.[name] ?? '',
    sent: (typed) => ({ [name]: typed.trim() || null }),
    text: (endpoint) => endpoint[name] ?? '',
    Input: ({ value, error, onChange }) => (
      <Field label={label()} hint={hint()} error={error}>
        {(attributes) => (
          <input
            {...attributes}
            type="text"
            value={value}
            onInput={({ currentTarget }) => onChange(currentTarget.value)}
          />
        )}
      </Field>
    ),
  };
}

/** Names or patterns in one line, with blanks or commas between them. */
function listField<Name extends 'exclude' | 'changed'>(
  name: Name,
  { label, hint }: TextTexts,
): FormField<string> {
  // A list that may be left out is null without names.
  const none = name === 'exclude' ? [] : null;
  return {
    ...{ names: [name], label },
    typed: (endpoint) => endpoint?.[name]?.join(' ') ?? '',
    sent: (typed) => {
      const given = [...new Set(typed.split(/[\s,]+/).filter((one) => one !== ''))];
      return { [name]: given.length === 0 ? none : given };
    },
    text: (endpoint) => endpoint[name]?.join(', ') ?? '',
    Input: ({ value, error, onChange }) => (
      <Field label={label()} hint={hint()} error={error}>
        {(attributes) => (
          <input
            {...attributes}
            type="text"
            autoComplete="off"
            spellcheck={false}
            value={value}
            onInput={({ currentTarget }) => onChange(currentTarget.value)}
          />
        )}
      </Field>
    ),
  };
}

/** The fields of the form, in their order. */
export const FORM_FIELDS = {
  url: field<string>({
    names: ['url'],
    label: () => t().url,
    typed: (endpoint) => endpoint?.url ?? '',
    sent: (typed) => ({ url: typed.trim() }),
    text: ({ url }) => url,
    Input: ({ value, error, onChange }) => (
      <Field label={t().url} hint={t().urlHint} error={error}>
        {(attributes) => (
          <input
            {...attributes}
            type="url"
            required
            autoComplete="off"
            spellcheck={false}
            placeholder="https://example.com/webhooks"
            value={value}
            onInput={({ currentTarget }) => onChange(currentTarget.value)}
          />
        )}
      </Field>
    ),
  }),
  description: textField('description', {
    label: () => t().description,
    hint: () => t().descriptionHint,
  }),
  events: field<readonly string[]>({
    names: ['events'],
    label: () => t().events,
    typed: (endpoint) => endpoint?.events ?? [],
    sent: (events) => ({ events }),
    fault: (events) => (events.length === 0 ? t().chooseOne : undefined),
    text: ({ events }) => events.join(', '),
    Input: EventsInput,
  }),
  exclude: listField('exclude', {
    label: () => t().form.exclude,
    hint: () => t().form.excludeHint,
  }),
  changed: listField('changed', {
    label: () => t().form.changed,
    hint: () => t().form.changedHint,
  }),
  filter: field<string>({
    names: ['filter'],
    label: () => t().filter,
    typed: (endpoint) =>
      endpoint === undefined || endpoint.filter === null
        ? ''
        : JSON.stringify(endpoint.filter, null, 2),
    sent: (typed) => ({ filter: typed.trim() === '' ? null : JSON.parse(typed) }),
    fault: (typed) => (isJson(typed) ? undefined : t().filterInvalid),
    text: ({ filter }) => (filter === null ? '' : JSON.stringify(filter)),
    Input: ({ value, error, onChange, endpoint, chosen }) => (
      <details open={endpoint?.filter !== undefined && endpoint.filter !== null}>
        <summary>{t().filter}</summary>
        <FilterEditor
          // The rows are made from the text once, so another text needs another element.
          key={JSON.stringify(endpoint?.filter)}
          text={value}
          {...chosen}
          error={error}
          onChange={onChange}
        />
      </details>
    ),
  }),
  rateLimit: field({
    names: ['rateLimit'],
    label: () => t().rateLimit,
    typed: (endpoint) => typedRateLimit(endpoint?.rateLimit ?? null),
    sent: (typed) => ({ rateLimit: rateLimitOf(typed) }),
    fault: (typed) => (isRateLimit(typed) ? undefined : t().form.rateLimitInvalid),
    text: ({ rateLimit }) => rateLimitText(rateLimit),
    Input: RateLimitField,
  }),
  order: field({
    names: ['ordered', 'onExhausted', 'holdFor'],
    label: () => t().order.title,
    typed: (endpoint) => typedOrder(endpoint),
    sent: (typed) => orderOf(typed),
    fault: (typed) => (isOrder(typed) ? undefined : t().order.holdForInvalid),
    text: (endpoint) => (endpoint.ordered ? orderText(endpoint) : ''),
    Input: OrderField,
  }),
  end: field<string>({
    names: ['expiresAt'],
    label: () => t().form.end,
    typed: (endpoint) => localTime(endpoint?.expiresAt ?? ''),
    sent: (typed) => ({ expiresAt: isoTime(typed) || null }),
    // A time that is typed in part has no value, as an empty one.
    fault: (_, { elements }) =>
      (elements.namedItem('end') as HTMLInputElement).validity.badInput
        ? t().refusals['not-a-time']()
        : undefined,
    text: ({ expiresAt }) => (expiresAt === null ? '' : dateTime(expiresAt)),
    Input: ({ value, error, onChange }) => (
      <Field label={t().form.end} hint={t().form.endHint} error={error}>
        {(attributes) => (
          <input
            {...attributes}
            name="end"
            type="datetime-local"
            value={value}
            onInput={({ currentTarget }) => onChange(currentTarget.value)}
          />
        )}
      </Field>
    ),
  }),
};

type Fields = typeof FORM_FIELDS;
type FormFieldName = keyof Fields;

/** The fields of an endpoint as they are typed. */
export type TypedEndpoint = { readonly [Name in FormFieldName]: ReturnType<Fields[Name]['typed']> };

/** {@link FORM_FIELDS} for code that treats all fields alike. */
export const FORM_FIELD_LIST = Object.entries(FORM_FIELDS) as readonly (readonly [
  FormFieldName,
  FormField<unknown>,
])[];

/** A field that another user has changed. */
export interface ForeignChange extends Pick<FormField<unknown>, 'names'> {
  readonly label: string;
  /** The value that it has now. */
  readonly text: string;
}

export function typedOf(endpoint: Endpoint | undefined): TypedEndpoint {
  return Object.fromEntries(
    FORM_FIELD_LIST.map(([name, { typed }]) => [name, typed(endpoint)]),
  ) as TypedEndpoint;
}

/** The fields to send to the API: the changed fields, and for a new endpoint also the fields that the API requires. */
export function changesOf(typed: TypedEndpoint, before?: Endpoint): Partial<Endpoint> {
  const old: Partial<Endpoint> = sentOf(typedOf(before));
  const needed = before === undefined ? ['url', 'events'] : [];
  const changed = Object.entries(sentOf(typed)).filter(
    ([name, value]) => needed.includes(name) || isOther(value, old[name as keyof Endpoint]),
  );
  return Object.fromEntries(changed);
}

function sentOf(typed: TypedEndpoint): Partial<Endpoint> {
  return Object.assign({}, ...FORM_FIELD_LIST.map(([name, { sent }]) => sent(typed[name])));
}

/** The typed value of every field that the user has changed, and the present value of every other field. */
export function rebased(typed: TypedEndpoint, before: Endpoint, now: Endpoint): TypedEndpoint {
  const [old, fresh] = [typedOf(before), typedOf(now)];
  const kept = FORM_FIELD_LIST.filter(([name]) => isOther(typed[name], old[name]));
  return { ...fresh, ...Object.fromEntries(kept.map(([name]) => [name, typed[name]])) };
}

/** The fields that another user has changed. */
export function foreignChanges(before: Endpoint, now: Endpoint): readonly ForeignChange[] {
  const [old, fresh] = [typedOf(before), typedOf(now)];
  return FORM_FIELD_LIST.filter(([name]) => isOther(old[name], fresh[name])).map(
    ([, { names, label, text }]) => ({ names, label: label(), text: text(now) || t().none }),
  );
}

function EventsInput({ value, error, onChange }: InputOptions<readonly string[]>) {
  const catalogue = useCatalogue();
  return catalogue.error !== undefined && catalogue.value === undefined ? (
    <Failure error={catalogue.error} reload={catalogue.reload} />
  ) : (
    <EventPicker
      events={value}
      items={catalogue.value?.items ?? []}
      error={error}
      onChange={onChange}
    />
  );
}

function isJson(text: string): boolean {
  try {
    if (text.trim() !== '') JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isOther(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}
