import type { JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import { isoTime, localTime } from '../core/local-time.js';
import type { DeliverySource } from '../core/deliveries.js';
import { linkTo, setQuery } from '../core/router.js';
import { settings } from '../core/settings.js';
import type { Query } from '../core/source.js';
import { useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, TimeZone } from '../ui/basics.js';
import { Tabs } from '../ui/tabs.js';
import { typingEnd } from '../core/typing.js';
import { nameOf } from './endpoint-address.js';
import { beginningOf, spansAt } from './spans.js';
import { MOST_SEARCHED } from './subject.js';

const STATUSES = ['failed', 'pending', 'succeeded'] as const;
/** The number of endpoints that are offered for a typed text. */
const OFFERED = 20;

type Filtered = Readonly<Record<string, string>>;

interface FieldOptions {
  readonly source: DeliverySource;
  readonly query: Filtered;
}

/** A filter of a list of deliveries. */
interface Filter {
  /** Its parameters in the address. */
  readonly names: readonly string[];
  /** Default: it is offered to everybody. */
  readonly isOffered?: (source: DeliverySource) => boolean;
  /** What the API is asked for. */
  readonly ask: (query: Filtered) => Query;
  readonly Field: (options: FieldOptions) => JSX.Element;
}

const isForOperators = ({ base }: DeliverySource) => base !== '';

/** In the row above the list. */
const FIRST: readonly Filter[] = [
  {
    names: ['search'],
    isOffered: (source) => !isForOperators(source) || settings.operatorBodies,
    ask: ({ search }) => ({ subject: search }),
    Field: ({ query }) => (
      <Text
        name="search"
        label={t().search}
        placeholder={t().lists.searchHint}
        maxLength={MOST_SEARCHED}
        query={query}
      />
    ),
  },
  {
    names: ['status'],
    ask: ({ status }) => ({ status }),
    Field: ({ query }) => (
      <Tabs
        label={t().status}
        items={[['', t().all], ...STATUSES.map((one) => [one, t()[one]] as const)]}
        chosen={query['status'] ?? ''}
        onChoose={(status) => setQuery({ status })}
      />
    ),
  },
];

/** Behind a button, unless they are set. */
const OTHERS: readonly Filter[] = [
  {
    names: ['event'],
    ask: ({ event }) => ({ event }),
    Field: ({ query }) => (
      <Text name="event" label={t().eventName} placeholder="order.*" query={query} />
    ),
  },
  {
    names: ['endpoint'],
    ask: ({ endpoint }) => ({ subscriber: endpoint }),
    Field: ({ source, query: { endpoint = '' } }) =>
      endpoint === '' ? (
        <EndpointChoice source={source} />
      ) : (
        <ChosenEndpoint key={endpoint} source={source} id={endpoint} />
      ),
  },
  {
    names: ['id'],
    ask: ({ id = '' }) => {
      const kind = /^(?:msg|sub)_/.exec(id)?.[0];
      if (id === '') return {};
      return kind === 'sub_' ? { subscriber: id } : kind ? { message: id } : { delivery: id };
    },
    Field: ({ query }) => (
      <Text name="id" label={t().lists.id} placeholder="dlv_… · msg_…" query={query} />
    ),
  },
  {
    names: ['owner'],
    isOffered: isForOperators,
    ask: ({ owner }) => ({ owner }),
    Field: ({ query }) => <Text name="owner" label={t().owner} query={query} />,
  },
  {
    names: ['time', 'from', 'to'],
    ask: ({ time, from, to }) =>
      time === 'range' ? { since: from, until: to } : { since: beginningOf(time, now()) },
    Field: TimeField,
  },
];

const FILTERS = [...FIRST, ...OTHERS];

export function isFiltered(query: Filtered): boolean {
  return FILTERS.some((one) => isSet(one, query));
}

function isSet({ names }: Filter, query: Filtered): boolean {
  return names.some((name) => query[name]);
}

export function clearFilters(): void {
  setQuery(Object.fromEntries(FILTERS.flatMap(({ names }) => names).map((name) => [name, ''])));
}

/** The filters of the address, with the names of the API. A span of time ends now, so it is computed for each read. */
export function askedFor(query: Filtered) {
  return (): Query => Object.assign({}, ...FILTERS.map(({ ask }) => ask(query))) as Query;
}

/** The filters of a list of deliveries, which are in the address: a row, and a button for the others. */
export function DeliveryFilters({ source, query }: FieldOptions) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const offered = (all: readonly Filter[]) =>
    all.filter(({ isOffered }) => isOffered === undefined || isOffered(source));
  const fields = (all: readonly Filter[]) =>
    all.map(({ names, Field }) => <Field key={names[0]} source={source} query={query} />);
  const others = offered(OTHERS).filter((one) => isOpen || isSet(one, query));
  return (
    <div role="search" aria-label={t().filters}>
      <div class="filter-line">
        {fields(offered(FIRST))}
        <button
          type="button"
          class="button"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setOpen(!isOpen)}
        >
          {t().filters}
        </button>
      </div>
      <div class="filters" id={id}>
        {fields(others)}
      </div>
    </div>
  );
}

interface TextOptions {
  readonly name: string;
  readonly label: string;
  readonly placeholder?: string;
  readonly maxLength?: number;
  readonly query: Filtered;
}

function Text({ name, label, query, ...attributes }: TextOptions) {
  return (
    <label>
      <span>{label}</span>
      <input
        type="search"
        spellcheck={false}
        {...attributes}
        value={query[name] ?? ''}
        onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value.trim() })}
      />
    </label>
  );
}

interface ChoiceOptions {
  readonly name: string;
  readonly label: string;
  /** The text of the choice of nothing. */
  readonly any: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly query: Filtered;
}

function Choice({ name, label, any, options, query }: ChoiceOptions) {
  return (
    <label>
      <span>{label}</span>
      <select
        value={query[name] ?? ''}
        onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value })}
      >
        <option value="">{any}</option>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function TimeField({ query }: FieldOptions) {
  const { time } = query;
  const moment = (name: 'from' | 'to') => (
    <label>
      <span>{t().lists[name]}</span>
      <input
        type="datetime-local"
        value={localTime(query[name])}
        onChange={({ currentTarget }) => setQuery({ [name]: isoTime(currentTarget.value) })}
      />
    </label>
  );
  return (
    <>
      <Choice
        name="time"
        label={t().time}
        any={t().anyTime}
        options={[
          ...spansAt(now(), time).map((one) => [one, t()[one]] as const),
          ['range', t().lists.range],
        ]}
        query={query}
      />
      {time === 'range' && (
        <div class="filter-times">
          {moment('from')}
          {moment('to')}
          <TimeZone />
        </div>
      )}
    </>
  );
}

/** Offers endpoints for a part of their URL or description, of which there may be more than a list could hold. */
function EndpointChoice({ source }: { readonly source: DeliverySource }) {
  const [typed, setTyped] = useState('');
  const [isEntered, setEntered] = useState(false);
  const search = typed.trim();
  const found = useData(`endpoints like ${search}`, async (signal) => {
    if (search === '') return [];
    await typingEnd(search, signal);
    const { items } = await source.endpoints({ search, limit: String(OFFERED) }, signal);
    return items.map(({ id, url, description }) => {
      const isOne = items.filter((one) => one.url === url).length === 1;
      return { id, name: isOne ? url : `${url} · ${id}`, description };
    });
  });
  const offered = found.value ?? [];
  const choose = (id: string | undefined) => id !== undefined && setQuery({ endpoint: id });
  // The answer may come after the key that ends the text.
  useEffect(() => {
    if (isEntered && offered.length === 1) choose(offered[0]!.id);
  }, [isEntered, found.value]);
  return (
    <label>
      <span>{t().endpoint}</span>
      <input
        type="search"
        list="offered-endpoints"
        maxLength={200}
        spellcheck={false}
        placeholder={t().searchEndpoints}
        value={typed}
        onInput={({ currentTarget: { value } }) => {
          setTyped(value);
          setEntered(false);
          choose(offered.find(({ name }) => name === value)?.id);
        }}
        onChange={() => setEntered(true)}
      />
      <datalist id="offered-endpoints">
        {offered.map(({ id, name, description }) => (
          <option key={id} value={name} label={description ?? undefined} />
        ))}
      </datalist>
    </label>
  );
}

function ChosenEndpoint({ source, id }: { readonly source: DeliverySource; readonly id: string }) {
  const { value: endpoint } = useData(`chosen ${id}`, (signal) => source.endpoint(id, signal));
  const { url = id, description = null } = endpoint ?? {};
  return (
    <div class="filter-endpoint">
      <span>{t().endpoint}</span>
      <div>
        <a class="break" href={linkTo(`${source.base}/endpoints/${id}`)} title={url}>
          <bdi>{description === null ? url : nameOf({ description, url })}</bdi>
        </a>
        <Button
          kind="quiet"
          label={t().lists.anyEndpoint}
          onClick={() => setQuery({ endpoint: '' })}
        >
          {t().lists.clear}
        </Button>
      </div>
    </div>
  );
}
