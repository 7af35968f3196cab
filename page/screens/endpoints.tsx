import { useState } from 'preact/hooks';
import { linkTo, place, setQuery } from '../core/router.js';
import { can } from '../core/session.js';
import { owner, type Query } from '../core/source.js';
import { LIVE, useData } from '../core/use-data.js';
import type { Endpoint, EndpointPage } from '../core/model.js';
import { number, t } from '../text/index.js';
import { Badge, Button, Empty, Time } from '../ui/basics.js';
import { Loaded, Screen } from '../ui/screen.js';
import { Table } from '../ui/table.js';

const STATES = ['active', 'disabled', 'unverified'] as const;
const STEP = 100;
/** Endpoints that one click looks through. */
const FAR = 1000;
/** Pages of a search that are read besides those that would do if all endpoints were found. */
const FURTHER = 10;
/** Rows that are shown at most: those beyond are found by a search. */
const ROWS = 500;
/** Milliseconds without a further letter. */
const TYPING = 200;

/**
 * Reads pages of the API until there are enough endpoints, or no more. The pages of a search have as few as are found among
 * many: after some of them it is left to the user to search on.
 */
export async function readPages(
  page: (query: Query) => Promise<EndpointPage>,
  most: number,
  step: number,
  search: string | undefined,
) {
  const items: Endpoint[] = [];
  let after: string | undefined;
  let pages = Math.ceil(most / step) + (search === undefined ? 0 : FURTHER);
  do {
    const { items: more, next } = await page({ limit: String(step), search, after });
    items.push(...more);
    after = next ?? undefined;
    pages -= 1;
  } while (after !== undefined && pages > 0 && items.length < most);
  return { items, hasMore: after !== undefined };
}

export function EndpointsScreen() {
  const [most, setMost] = useState(STEP);
  const { q = '', state = '' } = place.value.query;
  // What is shown stays while more is read; many pages are not read again and again.
  const every = most === STEP ? LIVE * 4 : undefined;
  const search = q.trim() === '' ? undefined : q.trim();
  const data = useData(
    `endpoints ${search ?? ''}`,
    async (signal) => {
      await typingEnd(search, signal);
      return readPages((query) => owner.endpoints(query, signal), most, STEP, search);
    },
    every,
  );
  const readOn = (count: number) => {
    setMost(most + count);
    data.reload();
  };
  const add = can('write', 'secrets') && (
    <a class="button primary" href={linkTo('/endpoints/new')}>
      {t().addEndpoint}
    </a>
  );
  const isFiltered = search !== undefined || state !== '';
  const isEmpty = data.value?.items.length === 0 && search === undefined;
  return (
    <Screen title={t().endpoints} actions={!isEmpty && add}>
      {!isEmpty && <Filters q={q} state={state} />}
      <Loaded data={data}>
        {({ items, hasMore }) => {
          if (isEmpty) {
            return (
              <Empty title={t().noEndpoints} hint={t().noEndpointsHint}>
                {add}
              </Empty>
            );
          }
          const shown = items.filter((one) => state === '' || one.state === state);
          return (
            <>
              {shown.length === 0 ? (
                <Empty
                  title={t().noMatch}
                  hint={hasMore ? searchedHint(search, items.length) : t().noMatchHint}
                >
                  <Button onClick={() => setQuery({ q: '', state: '' })}>{t().clearFilters}</Button>
                </Empty>
              ) : (
                <EndpointTable rows={shown.slice(0, ROWS)} />
              )}
              {shown.length > ROWS && <p class="hint">{t().lists.cut(number(ROWS))}</p>}
              {hasMore && (
                <div class="table-end">
                  {isFiltered ? (
                    <Button onClick={() => readOn(FAR)}>{t().lists.searchOn}</Button>
                  ) : (
                    <Button onClick={() => readOn(STEP)}>{t().more}</Button>
                  )}
                </div>
              )}
            </>
          );
        }}
      </Loaded>
    </Screen>
  );
}

function searchedHint(search: string | undefined, count: number): string {
  return search === undefined ? t().lists.searched(number(count)) : t().lists.searchedPart;
}

function Filters({ q, state }: { readonly q: string; readonly state: string }) {
  return (
    <div class="filters" role="search">
      <SearchField q={q} />
      <label>
        <span>{t().state}</span>
        <select value={state} onChange={(event) => setQuery({ state: event.currentTarget.value })}>
          <option value="">{t().all}</option>
          {STATES.map((one) => (
            <option key={one} value={one}>
              {t()[one]}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** Searches URLs and descriptions; the server does. */
export function SearchField({ q }: { readonly q: string }) {
  return (
    <label>
      <span>{t().search}</span>
      <input
        type="search"
        value={q}
        maxLength={200}
        placeholder={t().searchEndpoints}
        onInput={(event) => setQuery({ q: event.currentTarget.value })}
      />
    </label>
  );
}

/** Waits a moment: whoever types on asks for something else. */
export function typingEnd(search: string | undefined, signal: AbortSignal): Promise<void> {
  if (search === undefined) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, TYPING);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new Error('Typed on'));
    });
  });
}

function EndpointTable({ rows }: { readonly rows: readonly Endpoint[] }) {
  return (
    <Table
      caption={t().endpoints}
      rows={rows}
      keyOf={(one) => one.id}
      columns={[
        {
          title: t().url,
          kind: 'wide',
          cell: (one) => (
            <>
              <a href={linkTo(`/endpoints/${one.id}`)}>
                <bdi>{one.url}</bdi>
              </a>
              {one.description !== null && <small dir="auto">{one.description}</small>}
            </>
          ),
        },
        {
          title: t().events,
          kind: 'wide',
          cell: (one) => <Patterns patterns={one.events} most={3} />,
        },
        { title: t().state, cell: (one) => <Badge state={one.state} /> },
        { title: t().created, cell: (one) => <Time at={one.createdAt} /> },
      ]}
    />
  );
}

/** Patterns of events as tags. */
export function Patterns({
  patterns,
  most = Infinity,
}: {
  readonly patterns: readonly string[];
  readonly most?: number;
}) {
  return (
    <>
      {patterns.slice(0, most).map((one) => (
        <span class="tag" key={one}>
          {one === '*' ? t().all : one}
        </span>
      ))}
      {patterns.length > most && <span class="faint">+{patterns.length - most}</span>}
    </>
  );
}
