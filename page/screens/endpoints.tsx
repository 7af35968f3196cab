import { failureOf, health } from '../core/health.js';
import { linkTo, place, setQuery } from '../core/router.js';
import { can } from '../core/session.js';
import { owner } from '../core/source.js';
import { typingEnd } from '../core/typing.js';
import { LIVE } from '../core/use-data.js';
import { type Page, usePages } from '../core/use-pages.js';
import type { Endpoint, EndpointNow } from '../core/model.js';
import { dateTime, number, t } from '../text/index.js';
import { Badge, Button, Empty, type State, Time } from '../ui/basics.js';
import { More } from '../ui/more.js';
import { Loaded, Screen } from '../ui/screen.js';
import { Table } from '../ui/table.js';

const STATES = ['active', 'failing', 'disabled', 'unverified', 'expired'] as const;
/** Endpoints that fail are read by their ids. */
const FAILING_STEP = 20;
const STEP = 100;

/** Endpoints of the caller, in pages: there may be thousands. */
export function EndpointsScreen() {
  const { q = '', state = '' } = place.value.query;
  const search = q.trim() === '' ? undefined : q.trim();
  const failing = health.value?.items.map(({ subscriberId }) => subscriberId) ?? [];
  const isCut = (health.value?.failing ?? 0) > failing.length;
  const isShown = (one: Endpoint) =>
    state === '' || stateNow(one, failureOf(one.id)) === state || state === 'failing';
  const of = state === 'failing' ? failing.join(' ') : state;
  const pages = usePages<Endpoint>(`endpoints ${search ?? ''} ${of}`, {
    read: async (after, signal) => {
      if (state === 'failing') return readFailing(failing, Number(after ?? 0), search, signal);
      if (after === undefined) await typingEnd(search, signal);
      return owner.endpoints({ limit: String(STEP), search, after }, signal);
    },
    step: STEP,
    // Many pages are not read again and again.
    ...(state === '' && { every: LIVE * 4 }),
    counts: isShown,
  });
  const add = can('write', 'secrets') && (
    <a class="button primary" href={linkTo('/endpoints/new')}>
      {t().addEndpoint}
    </a>
  );
  const isFiltered = search !== undefined || state !== '';
  const isEmpty = pages.data.value?.items.length === 0 && !isFiltered;
  return (
    <Screen title={t().endpoints} actions={!isEmpty && add}>
      {!isEmpty && <Filters q={q} state={state} />}
      <Loaded data={pages.data}>
        {({ items, next }) => {
          if (isEmpty) {
            return (
              <Empty title={t().noEndpoints} hint={t().noEndpointsHint}>
                {add}
              </Empty>
            );
          }
          const shown = items.filter(isShown);
          return (
            <>
              {shown.length === 0 ? (
                <Empty
                  title={t().noMatch}
                  hint={next === null ? t().noMatchHint : searchedHint(search, items.length)}
                >
                  <Button onClick={() => setQuery({ q: '', state: '' })}>{t().clearFilters}</Button>
                </Empty>
              ) : (
                <EndpointTable rows={shown} />
              )}
              {state === 'failing' && next === null && isCut && (
                <p class="hint">{t().health.longest(number(failing.length))}</p>
              )}
              <More pages={pages} text={isFiltered ? t().lists.searchOn : t().more} />
            </>
          );
        }}
      </Loaded>
    </Screen>
  );
}

async function readFailing(
  ids: readonly string[],
  from: number,
  search: string | undefined,
  signal: AbortSignal,
): Promise<Page<Endpoint>> {
  const end = from + FAILING_STEP;
  const found = await Promise.all(ids.slice(from, end).map((id) => owner.find(id, signal)));
  const wanted = search?.toLowerCase() ?? '';
  return {
    items: found
      .filter((one) => one !== null)
      .filter(({ url, description }) =>
        `${url} ${description ?? ''}`.toLowerCase().includes(wanted),
      ),
    next: end < ids.length ? String(end) : null,
  };
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
        { title: t().state, cell: (one) => <StateNow endpoint={one} /> },
        { title: t().created, cell: (one) => <Time at={one.createdAt} /> },
      ]}
    />
  );
}

/** The state of an endpoint; one that only fails is not simply active. */
export function stateNow(
  { state }: Pick<Endpoint, 'state'>,
  now: Pick<EndpointNow, 'failingSince'> | undefined,
): State {
  return state === 'active' && now != null && now.failingSince !== null ? 'failing' : state;
}

export function StateNow({ endpoint }: { readonly endpoint: Endpoint }) {
  const now = failureOf(endpoint.id);
  const state = stateNow(endpoint, now);
  return (
    <>
      <Badge state={state} />
      {state === 'failing' && <small>{t().health.since(dateTime(now!.failingSince!))}</small>}
      {endpoint.expiresAt !== null && <small>{t().form.until(dateTime(endpoint.expiresAt))}</small>}
    </>
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
