import { urlForFile } from '../core/csv.js';
import { failingFirst } from '../core/failing-first.js';
import { health } from '../core/health.js';
import { linkTo, place, setQuery } from '../core/router.js';
import { can } from '../core/session.js';
import { owner, WITH_LAST_DAY } from '../core/source.js';
import { typingEnd } from '../core/typing.js';
import { LIVE } from '../core/use-data.js';
import { usePages } from '../core/use-pages.js';
import type { Endpoint, EndpointPage } from '../core/model.js';
import { t } from '../text/index.js';
import { Button, Empty, Time } from '../ui/basics.js';
import { EndpointName } from '../ui/endpoint-name.js';
import { Breakable } from '../ui/breakable.js';
import { ExportButton } from '../ui/export-button.js';
import { More } from '../ui/more.js';
import { Loaded, Screen } from '../ui/screen.js';
import { Table } from '../ui/table.js';
import { lastDayColumn, LastDayHint, StateNow } from './endpoint-state.js';

const STATES = ['active', 'failing', 'disabled', 'unverified', 'expired'] as const;
const STEP = 100;

/** Endpoints of the caller, in pages: there may be thousands. */
export function EndpointsScreen() {
  const { q = '', state = '' } = place.value.query;
  const search = q.trim() === '' ? undefined : q.trim();
  const pages = usePages<Endpoint>(`endpoints ${search ?? ''} ${state}`, {
    read: async (after, signal) => {
      if (after === undefined) await typingEnd(search, signal);
      const query = { limit: String(STEP), search, ...WITH_LAST_DAY };
      // A search looks at each row once.
      if (state !== '' || search) return owner.endpoints({ ...query, state, after }, signal);
      return failingFirst((part) => owner.endpoints({ ...query, ...part }, signal), after);
    },
    step: STEP,
    every: LIVE * 4,
  });
  const add = can('write', 'secrets') && (
    <a class="button primary" href={linkTo('/endpoints/new')}>
      {t().addEndpoint}
    </a>
  );
  const isFiltered = search !== undefined || state !== '';
  const isEmpty = pages.data.value?.items.length === 0 && !isFiltered;
  return (
    <Screen
      title={t().endpoints}
      actions={
        !isEmpty && (
          <>
            {add}
            <EndpointExport
              read={(after, signal) =>
                owner.endpoints({ limit: String(STEP), search, state, after }, signal)
              }
            />
          </>
        )
      }
    >
      {!isEmpty && <Filters q={q} state={state} />}
      <Loaded data={pages.data} as="rows">
        {({ items, next }) => {
          if (isEmpty) {
            return (
              <Empty title={t().noEndpoints} hint={t().noEndpointsHint}>
                {add}
              </Empty>
            );
          }
          return (
            <>
              {items.length === 0 ? (
                <Empty
                  title={t().noMatch}
                  hint={next === null ? t().noMatchHint : t().lists.searchedPart}
                >
                  <Button onClick={() => setQuery({ q: '', state: '' })}>{t().clearFilters}</Button>
                </Empty>
              ) : (
                <>
                  <EndpointTable rows={items} isWhole={next === null} />
                  <LastDayHint rows={items} />
                </>
              )}
              <More
                pages={pages}
                text={isFiltered ? t().lists.searchOn : t().more}
                total={search === undefined ? totalOf(state) : undefined}
              />
            </>
          );
        }}
      </Loaded>
    </Screen>
  );
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

/** The number of endpoints in a state, which the menu knows of some states. */
function totalOf(state: string): number | undefined {
  if (state === '') return health.value?.endpoints;
  return state === 'failing' || state === 'disabled' ? health.value?.[state] : undefined;
}

interface ExportOptions {
  readonly read: (after: string | undefined, signal: AbortSignal) => Promise<EndpointPage>;
}

/** Saves endpoints as CSV, without secrets, headers and queries. */
export function EndpointExport({ read }: ExportOptions) {
  return (
    <ExportButton
      read={read}
      name="endpoints"
      columns={{
        id: ({ id }) => id,
        owner: ({ owner: of }) => of ?? null,
        description: ({ description }) => description,
        url: ({ url }) => urlForFile(url),
        events: ({ events }) => events.join(' '),
        state: ({ state }) => state,
        failingSince: ({ failingSince }) => failingSince,
        createdAt: ({ createdAt }) => createdAt,
        expiresAt: ({ expiresAt }) => expiresAt,
      }}
    />
  );
}

interface TableOptions {
  readonly rows: readonly Endpoint[];
  readonly isWhole: boolean;
}

function EndpointTable({ rows, isWhole }: TableOptions) {
  return (
    <Table
      caption={t().endpoints}
      rows={rows}
      isWhole={isWhole}
      keyOf={(one) => one.id}
      columns={[
        {
          title: t().endpoint,
          kind: 'name',
          cell: ({ id, url, description }) => (
            <EndpointName {...{ id, url, description }} href={linkTo(`/endpoints/${id}`)} />
          ),
          sort: ({ url, description }) => description ?? url,
        },
        {
          title: t().events,
          kind: 'wide',
          cell: (one) => <Patterns patterns={one.events} most={2} />,
        },
        {
          title: t().state,
          cell: (one) => <StateNow endpoint={one} />,
          sort: ({ state }) => state,
        },
        lastDayColumn(),
        {
          title: t().created,
          cell: (one) => <Time at={one.createdAt} />,
          sort: ({ createdAt }) => createdAt,
        },
      ]}
    />
  );
}

/** Patterns of events as tags. Where only some are shown, each stays on one line. */
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
        <span class="tag" key={one} title={one}>
          {one === '*' ? t().all : most === Infinity ? <Breakable text={one} /> : one}
        </span>
      ))}
      {patterns.length > most && <span class="faint">+{patterns.length - most}</span>}
    </>
  );
}
