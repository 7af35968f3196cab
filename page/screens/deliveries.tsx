import { useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import type { DeliverySource } from '../core/deliveries.js';
import type { Delivery } from '../core/model.js';
import { linkTo, place, setQuery } from '../core/router.js';
import { owner } from '../core/source.js';
import { LIVE, useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, Empty } from '../ui/basics.js';
import { Loaded, Screen } from '../ui/screen.js';
import { DeliveryTable } from './delivery-table.js';
import { BulkActions } from './operator-bulk.js';

const STATUSES = ['pending', 'succeeded', 'failed'] as const;
const CLASSES = ['2xx', '3xx', '4xx', '5xx', 'timeout'] as const;
const HOUR = 3_600_000;
const SPANS = { lastHour: HOUR, lastDay: 24 * HOUR, lastWeek: 168 * HOUR } as const;
const STEP = 50;
const MOST = 500;
const FILTERS = [
  'event',
  'status',
  'answer',
  'time',
  'endpoint',
  'message',
  'owner',
  'host',
] as const;

/** Deliveries, the newest first, with their filters in the address; live while the page is visible. */
export function DeliveriesScreen({ source }: { readonly source: DeliverySource }) {
  const { query } = place.value;
  const [most, setMost] = useState(STEP);
  const asked = askedFor(query);
  const data = useData(
    `deliveries ${source.base} ${most} ${JSON.stringify(query)}`,
    (signal) => read(source, asked(), most, signal),
    most === STEP ? LIVE : undefined,
  );
  const isFiltered = FILTERS.some((one) => query[one]);
  return (
    <Screen title={t().deliveries} actions={source.base !== '' && <BulkActions filters={asked} />}>
      <Filters source={source} query={query} />
      <Loaded data={data}>
        {({ items, hasMore }) =>
          items.length === 0 ? (
            isFiltered ? (
              <Empty title={t().noMatch} hint={t().noMatchHint}>
                <Button
                  onClick={() => setQuery(Object.fromEntries(FILTERS.map((one) => [one, ''])))}
                >
                  {t().clearFilters}
                </Button>
              </Empty>
            ) : (
              <Empty title={t().noDeliveries} hint={t().noDeliveriesHint} />
            )
          ) : (
            <>
              <Listed source={source} items={items} />
              {hasMore && most < MOST && (
                <div class="table-end">
                  <Button onClick={() => setMost(most + STEP)}>{t().more}</Button>
                </div>
              )}
            </>
          )
        }
      </Loaded>
    </Screen>
  );
}

type Filtered = Readonly<Record<string, string>>;

/** The API's names of what the address filters by. A span ends now, so it is worked out for each look. */
function askedFor(query: Filtered) {
  return () => {
    const span = Object.entries(SPANS).find(([name]) => name === query['time'])?.[1];
    return {
      event: query['event'],
      status: query['status'],
      statusClass: query['answer'],
      subscriber: query['endpoint'],
      message: query['message'],
      owner: query['owner'],
      host: query['host'],
      since: span === undefined ? undefined : new Date(now() - span).toISOString(),
    };
  };
}

async function read(
  source: DeliverySource,
  filters: Readonly<Record<string, string | undefined>>,
  most: number,
  signal: AbortSignal,
) {
  const items: Delivery[] = [];
  let after: string | undefined;
  do {
    const page = await source.list({ ...filters, limit: String(STEP), after }, signal);
    items.push(...page.items);
    after = page.next ?? undefined;
    // A page may be short or empty although there are more: the API looks at a part of the log in each request.
  } while (after !== undefined && items.length < most);
  return { items, hasMore: after !== undefined };
}

function Listed({
  source,
  items,
}: {
  readonly source: DeliverySource;
  readonly items: readonly Delivery[];
}) {
  // Names for the endpoints of an owner; an operator may have a hundred thousand of them.
  const endpoints = useData(`names ${source.base}`, async (signal) =>
    source.base === '' ? (await owner.endpoints({ limit: '100' }, signal)).items : [],
  );
  const names = new Map(endpoints.value?.map(({ id, url }) => [id, url]));
  return (
    <DeliveryTable rows={items} base={source.base} endpointName={(id) => names.get(id) ?? id} />
  );
}

function Filters({ source, query }: { readonly source: DeliverySource; readonly query: Filtered }) {
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
        value={query[name] ?? ''}
        onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value.trim() })}
      />
    </label>
  );
  return (
    <div class="filters" role="search" aria-label={t().filters}>
      {text('event', t().eventName, 'order.*')}
      {select(
        'status',
        t().status,
        t().anyStatus,
        STATUSES.map((one) => [one, t()[one]]),
      )}
      {select(
        'answer',
        t().answer,
        t().all,
        CLASSES.map((one) => [one, one === 'timeout' ? t().timeout : one]),
      )}
      {select(
        'time',
        t().time,
        t().anyTime,
        (Object.keys(SPANS) as (keyof typeof SPANS)[]).map((one) => [one, t()[one]]),
      )}
      {text('message', t().messageId, 'msg_…')}
      {source.base !== '' && text('owner', t().owner, '')}
      {source.base !== '' && text('host', t().host, 'hooks.example.com')}
      {(query['endpoint'] ?? '') !== '' && (
        <div class="filter-endpoint">
          <a class="mono break" href={linkTo(`${source.base}/endpoints/${query['endpoint']}`)}>
            {query['endpoint']}
          </a>
          <Button kind="quiet" onClick={() => setQuery({ endpoint: '' })}>
            {t().remove}
          </Button>
        </div>
      )}
    </div>
  );
}
