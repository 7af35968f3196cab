import type { InputHTMLAttributes, JSX } from 'preact';
import { isoTime, localTime } from '../core/local-time.js';
import type { Endpoint } from '../core/model.js';
import type { Refusal } from '../core/refusals.js';
import { settings } from '../core/settings.js';
import { namesIn } from '../core/typing.js';
import { dateTime, t } from '../text/index.js';
import { Field } from '../ui/basics.js';
import { Loaded } from '../ui/screen.js';
import { AuthField, authOf, authText, type TypedAuth, typedAuth } from './auth-field.js';
import {
  BodyField,
  bodyFault,
  bodyOf,
  bodyText,
  isBodyOffered,
  type TypedBody,
  typedBody,
} from './body-field.js';
import { EventPicker, useCatalogue } from './event-picker.js';
import { useChangesTold } from './field-names.js';
import { FilterEditor } from './filter-editor.js';
import {
  HeadersField,
  headersFault,
  headersOf,
  type TypedHeader,
  typedHeaders,
} from './headers-field.js';
import { isOrder, OrderField, orderOf, orderText, typedOrder } from './order-field.js';
import {
  isRateLimit,
  RateLimitField,
  rateLimitOf,
  rateLimitText,
  typedRateLimit,
} from './rate-limit-field.js';

/**
 * The fields of a request. Answers show only the names of headers and the public members of `auth`, so that a request has
 * other values in these two.
 */
export type EndpointChanges = Partial<Omit<Endpoint, 'headers' | 'auth'>> & {
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly auth?: object | null;
};

/** The properties of the input of a field. */
interface InputOptions<Typed> {
  readonly value: Typed;
  readonly error: string | undefined;
  /** The refusal that `error` is the text of; undefined when the page itself has found the error. */
  readonly refusal: Refusal | undefined;
  readonly onChange: (value: Typed) => void;
  /** The endpoint as it was read; undefined for a new one. */
  readonly endpoint: Endpoint | undefined;
  /** The events that are chosen in the form. */
  readonly chosen: Pick<Endpoint, 'events' | 'exclude'>;
  /** True: the URL in the form has another origin than that of the endpoint, so the API keeps no credentials. */
  readonly isMoved: boolean;
}

/** A field of the form of an endpoint. */
interface FormField<Typed> {
  /** The fields of the API that it asks for. Why the API refuses one of them is shown beside the input. */
  readonly names: readonly (keyof Endpoint)[];
  readonly label: () => string;
  /** True: few endpoints have it, so it stands below "Advanced". */
  readonly isAdvanced?: true;
  /** Tells whether the application offers the field. Default: it does. A field that has a value is always shown. */
  readonly isOffered?: (endpoint: Endpoint | undefined) => boolean;
  /** The value of an endpoint as it is typed; for a new endpoint the value that the form begins with. */
  readonly typed: (endpoint: Endpoint | undefined) => Typed;
  /** The fields for the API. @param before the endpoint as it was read; undefined for a new one */
  readonly sent: (typed: Typed, before: Endpoint | undefined) => EndpointChanges;
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

interface LineOptions extends Pick<InputOptions<string>, 'value' | 'error' | 'onChange'> {
  readonly label: string;
  readonly hint: string;
  readonly given?: InputHTMLAttributes;
}

/** An input of one line. Its attributes are for names and numbers, unless others are given. */
function Line({ label, hint, given, value, error, onChange }: LineOptions) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(attributes) => (
        <input
          type="text"
          autoComplete="off"
          spellcheck={false}
          {...given}
          {...attributes}
          value={value}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )}
    </Field>
  );
}

function lineInput(
  { label, hint }: TextTexts,
  given: InputHTMLAttributes = {},
): FormField<string>['Input'] {
  return ({ value, error, onChange }) => (
    <Line label={label()} hint={hint()} {...{ given, value, error, onChange }} />
  );
}

/** The names of changed fields. Where no chosen event tells its changes, the API refuses any, so there is one at most to remove. */
function ChangedInput({ value, error, onChange, chosen }: InputOptions<string>) {
  const { changed, changedHint, changedUnknown } = t().form;
  const isTold = useChangesTold(chosen);
  return (
    <Line
      label={changed}
      hint={isTold ? changedHint : changedUnknown}
      given={{ disabled: !isTold && value === '' }}
      {...{ value, error, onChange }}
    />
  );
}

/** Names or patterns in one line, with blanks or commas between them. */
function listField<Name extends 'exclude' | 'changed'>(
  name: Name,
  texts: TextTexts,
): FormField<string> {
  // A list that may be left out is null without names.
  const none = name === 'exclude' ? [] : null;
  return {
    ...{ names: [name], label: texts.label, isAdvanced: true },
    typed: (endpoint) => endpoint?.[name]?.join(' ') ?? '',
    sent: (typed) => {
      const given = namesIn(typed);
      return { [name]: given.length === 0 ? none : given };
    },
    text: (endpoint) => endpoint[name]?.join(', ') ?? '',
    Input: lineInput(texts),
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
    Input: lineInput(
      { label: () => t().url, hint: () => t().urlHint },
      { type: 'url', required: true, placeholder: 'https://example.com/webhooks' },
    ),
  }),
  description: field<string>({
    names: ['description'],
    label: () => t().description,
    typed: (endpoint) => endpoint?.description ?? '',
    sent: (typed) => ({ description: typed.trim() || null }),
    text: ({ description }) => description ?? '',
    Input: lineInput(
      { label: () => t().description, hint: () => t().descriptionHint },
      { autoComplete: 'on', spellcheck: true },
    ),
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
  changed: {
    ...listField('changed', {
      label: () => t().form.changed,
      hint: () => t().form.changedHint,
    }),
    isOffered: () => settings.bodies.changed,
    Input: ChangedInput,
  },
  filter: field<string>({
    names: ['filter'],
    isAdvanced: true,
    label: () => t().filter,
    typed: (endpoint) =>
      endpoint === undefined || endpoint.filter === null
        ? ''
        : JSON.stringify(endpoint.filter, null, 2),
    sent: (typed) => ({ filter: typed.trim() === '' ? null : JSON.parse(typed) }),
    fault: (typed) => (isJson(typed) ? undefined : t().filterInvalid),
    text: ({ filter }) => (filter === null ? '' : JSON.stringify(filter)),
    Input: ({ value, error, onChange, endpoint, chosen }) => (
      <fieldset>
        <legend>{t().filter}</legend>
        <FilterEditor
          // The rows are made from the text once, so another text needs another element.
          key={JSON.stringify(endpoint?.filter)}
          text={value}
          {...chosen}
          error={error}
          onChange={onChange}
        />
      </fieldset>
    ),
  }),
  rateLimit: field({
    names: ['rateLimit'],
    isAdvanced: true,
    label: () => t().rateLimit,
    typed: (endpoint) => typedRateLimit(endpoint?.rateLimit ?? null),
    sent: (typed) => ({ rateLimit: rateLimitOf(typed) }),
    fault: (typed) => (isRateLimit(typed) ? undefined : t().form.rateLimitInvalid),
    text: ({ rateLimit }) => rateLimitText(rateLimit),
    Input: RateLimitField,
  }),
  order: field({
    names: ['ordered', 'onExhausted', 'holdFor'],
    isAdvanced: true,
    label: () => t().order.title,
    typed: (endpoint) => typedOrder(endpoint),
    sent: (typed) => orderOf(typed),
    fault: (typed) => (isOrder(typed) ? undefined : t().order.holdForInvalid),
    text: (endpoint) => (endpoint.ordered ? orderText(endpoint) : ''),
    Input: OrderField,
  }),
  end: field<string>({
    names: ['expiresAt'],
    isAdvanced: true,
    label: () => t().form.end,
    typed: (endpoint) => localTime(endpoint?.expiresAt ?? ''),
    sent: (typed) => ({ expiresAt: isoTime(typed) || null }),
    // A time that is typed in part has no value, as an empty one.
    fault: (_, { elements }) =>
      (elements.namedItem('end') as HTMLInputElement | null)?.validity.badInput === true
        ? t().refusals['not-a-time']()
        : undefined,
    text: ({ expiresAt }) => (expiresAt === null ? '' : dateTime(expiresAt)),
    Input: lineInput(
      { label: () => t().form.end, hint: () => t().form.endHint },
      { name: 'end', type: 'datetime-local' },
    ),
  }),
  body: field<TypedBody>({
    names: ['fields', 'thin', 'template'],
    isAdvanced: true,
    isOffered: isBodyOffered,
    label: () => t().bodies.title,
    typed: typedBody,
    sent: bodyOf,
    fault: bodyFault,
    text: bodyText,
    Input: BodyField,
  }),
  timeout: field<string>({
    names: ['timeout'],
    isAdvanced: true,
    label: () => t().form.timeout,
    typed: (endpoint) => (endpoint === undefined ? '' : secondsOf(endpoint)),
    sent: (typed) => ({ timeout: typed.trim() === '' ? null : Math.round(decimal(typed) * 1000) }),
    fault: (typed) =>
      typed.trim() === '' || Number.isFinite(decimal(typed)) ? undefined : t().fields.timeout,
    text: (endpoint) =>
      endpoint.timeout === null ? '' : t().form.timeoutText(secondsOf(endpoint)),
    Input: lineInput(
      { label: () => t().form.timeout, hint: () => t().form.timeoutHint },
      { inputMode: 'decimal' },
    ),
  }),
  headers: field<readonly TypedHeader[]>({
    names: ['headers'],
    isAdvanced: true,
    label: () => t().credentials.headers,
    typed: typedHeaders,
    sent: (typed) => ({ headers: headersOf(typed) }),
    fault: headersFault,
    text: ({ headers }) => headers.join(', '),
    Input: HeadersField,
  }),
  auth: field<TypedAuth>({
    names: ['auth'],
    isAdvanced: true,
    label: () => t().credentials.auth,
    typed: typedAuth,
    sent: (typed, before) => ({ auth: authOf(typed, before) }),
    text: authText,
    Input: AuthField,
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

/** The fields of the form, of which the application does not offer all. */
export function shownFields(endpoint: Endpoint | undefined) {
  return FORM_FIELD_LIST.filter(
    ([, { isOffered, text }]) =>
      isOffered?.(endpoint) !== false || (endpoint !== undefined && text(endpoint) !== ''),
  );
}

export function typedOf(endpoint: Endpoint | undefined): TypedEndpoint {
  return Object.fromEntries(
    FORM_FIELD_LIST.map(([name, { typed }]) => [name, typed(endpoint)]),
  ) as TypedEndpoint;
}

/** The fields to send to the API: the changed fields, and for a new endpoint also the fields that the API requires. */
export function changesOf(typed: TypedEndpoint, before?: Endpoint): EndpointChanges {
  const old = sentOf(typedOf(before), before);
  const needed = before === undefined ? ['url', 'events'] : [];
  const changed = Object.entries(sentOf(typed, before)).filter(
    ([name, value]) => needed.includes(name) || isOther(value, old[name as keyof EndpointChanges]),
  );
  return Object.fromEntries(changed);
}

function sentOf(typed: TypedEndpoint, before: Endpoint | undefined): EndpointChanges {
  return Object.assign({}, ...FORM_FIELD_LIST.map(([name, { sent }]) => sent(typed[name], before)));
}

/** The labels of the fields that a change names. */
export function labelsOf(changes: object): readonly string[] {
  const changed = FORM_FIELD_LIST.filter(([, { names }]) => names.some((one) => one in changes));
  return changed.map(([, { label }]) => label());
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
  return (
    <Loaded data={catalogue} as="list">
      {({ items }) => (
        <EventPicker events={value} items={items} error={error} onChange={onChange} />
      )}
    </Loaded>
  );
}

function secondsOf({ timeout }: Endpoint): string {
  return timeout === null ? '' : String(timeout / 1000);
}

function decimal(text: string): number {
  return Number(text.trim().replace(',', '.'));
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
