import { useEffect, useState } from 'preact/hooks';
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
import { MOST_SEARCHED } from './subject.js';

const STATUSES = ['failed', 'pending', 'succeeded'] as const;
const CLASSES = ['2xx', '3xx', '4xx', '5xx', 'timeout'] as const;
const HOUR = 3_600_000;
const SPANS = { lastHour: HOUR, lastDay: 24 * HOUR, lastWeek: 168 * HOUR } as const;
const NAMES = [
  ...[
    'search',
    'event',
    'status',
    'answer',
    'time',
    'from',
    'to',
    'since',
    'endpoint',
    'id',
    'owner',
    'host',
  ],
];
/** The number of endpoints that are offered for a typed text. */
const OFFERED = 20;

type Filtered = Readonly<Record<string, string>>;

export function isFiltered(query: Filtered): boolean {
  return NAMES.some((one) => query[one]);
}

export function clearFilters(): void {
  setQuery(Object.fromEntries(NAMES.map((one) => [one, ''])));
}

/** The filters of the address, with the names of the API. A span of time ends now, so it is computed for each read. */
export function askedFor(query: Filtered) {
  return (): Query => {
    const span = Object.entries(SPANS).find(([name]) => name === query['time'])?.[1];
    const { from, to } = query;
    const isRange = query['time'] === 'range';
    const isAttempted = query['time'] === 'attempts';
    const id = query['id'] ?? '';
    const kind = /^(?:msg|sub)_/.exec(id)?.[0];
    return {
      value: query['search'],
      event: query['event'],
      status: query['status'],
      statusClass: query['answer'],
      subscriber: kind === 'sub_' ? id : query['endpoint'],
      message: kind === 'msg_' ? id : undefined,
      delivery: kind === undefined ? id : undefined,
      owner: query['owner'],
      host: query['host'],
      ...(span !== undefined && { since: new Date(now() - span).toISOString() }),
      ...(isRange && { since: from, until: to }),
      ...(isAttempted && { since: query['since'], attemptedSince: from, attemptedUntil: to }),
    };
  };
}

interface Options {
  readonly source: DeliverySource;
  readonly query: Filtered;
}

/** The filters of a list of deliveries, which are in the address. */
export function DeliveryFilters({ source, query }: Options) {
  const select = (
    name: string,
    label: string,
    any: string,
    options: readonly (readonly [string, string])[],
  ) => (
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
  const text = (name: string, label: string, placeholder: string) => (
    <label>
      <span>{label}</span>
      <input
        type="search"
        spellcheck={false}
        placeholder={placeholder}
        maxLength={name === 'search' ? MOST_SEARCHED : undefined}
        value={query[name] ?? ''}
        onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value.trim() })}
      />
    </label>
  );
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
  const isBetween = query['time'] === 'range' || query['time'] === 'attempts';
  return (
    <div class="filters" role="search" aria-label={t().filters}>
      <Tabs
        label={t().status}
        items={[['', t().all], ...STATUSES.map((one) => [one, t()[one]] as const)]}
        chosen={query['status'] ?? ''}
        onChoose={(status) => setQuery({ status })}
      />
      {(source.base === '' || settings.operatorBodies) && (
        <div class="filter-search">{text('search', t().search, t().lists.searchHint)}</div>
      )}
      {text('event', t().eventName, 'order.*')}
      {select(
        'answer',
        t().answer,
        t().all,
        CLASSES.map((one) => [one, one === 'timeout' ? t().timeout : one]),
      )}
      {(query['endpoint'] ?? '') === '' ? (
        <EndpointChoice source={source} />
      ) : (
        <ChosenEndpoint key={query['endpoint']} source={source} id={query['endpoint']!} />
      )}
      {text('id', t().lists.id, 'dlv_… · msg_…')}
      {source.base !== '' && text('owner', t().owner, '')}
      {source.base !== '' && text('host', t().host, 'hooks.example.com')}
      {select('time', t().time, t().anyTime, [
        ...(Object.keys(SPANS) as (keyof typeof SPANS)[]).map((one) => [one, t()[one]] as const),
        ['range', t().lists.range],
        ['attempts', t().lists.attempted],
      ])}
      {isBetween && (
        <div class="filter-times">
          {moment('from')}
          {moment('to')}
          <TimeZone />
        </div>
      )}
    </div>
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
