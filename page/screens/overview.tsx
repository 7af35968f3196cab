import { failureOf, health } from '../core/health.js';
import type { Delivery, Endpoint } from '../core/model.js';
import { ownerDeliveries } from '../core/deliveries.js';
import { useEndpointNames } from '../core/endpoint-names.js';
import { linkTo, place, setQuery } from '../core/router.js';
import { can } from '../core/session.js';
import { owner } from '../core/source.js';
import { LIVE, useData } from '../core/use-data.js';
import { number, t } from '../text/index.js';
import { Empty, Time } from '../ui/basics.js';
import { Loaded, Screen, Section } from '../ui/screen.js';
import { Table } from '../ui/table.js';
import { Activity } from './activity.js';
import { DeliveryTable } from './delivery-table.js';
import { StateNow, stateNow } from './endpoints.js';

/** Endpoints that are shown: each is asked for its figures. */
const SHOWN = 10;
const LATEST = 5;

/** How the owner's endpoints are, and what they were sent lately. */
export function OverviewScreen() {
  const endpoints = useData(
    'overview',
    (signal) => owner.endpoints({ limit: '100' }, signal),
    LIVE * 4,
  );
  const add = can('write', 'secrets') && (
    <a class="button primary" href={linkTo('/endpoints/new')}>
      {t().addEndpoint}
    </a>
  );
  return (
    <Screen title={t().overview} actions={endpoints.value?.items.length !== 0 && add}>
      <Loaded data={endpoints}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title={t().noEndpoints} hint={t().noEndpointsHint}>
              {add}
            </Empty>
          ) : (
            <>
              <Everything />
              <Endpoints items={items} hasMore={next !== null} />
            </>
          )
        }
      </Loaded>
    </Screen>
  );
}

function Everything() {
  const by = place.value.query['by'] === 'day' ? 'day' : 'hour';
  const history = useData(`figures ${by}`, (signal) => owner.figures({ by }, signal), LIVE * 4);
  return (
    <Section
      title={by === 'hour' ? t().lastDay : t().lastDays(30)}
      actions={
        <div class="tabs" role="group" aria-label={t().time}>
          {(['hour', 'day'] as const).map((one) => (
            <button
              key={one}
              type="button"
              class="button"
              aria-pressed={one === by}
              onClick={() => setQuery({ by: one === 'day' ? one : '' })}
            >
              {one === 'hour' ? t().figures.byHour : t().figures.byDay}
            </button>
          ))}
        </div>
      }
    >
      <Loaded data={history}>{(value) => <Activity {...value} />}</Loaded>
    </Section>
  );
}

/** Deliveries that failed, or whose latest attempt did, the newest first. */
async function readFailures(signal: AbortSignal): Promise<readonly Delivery[]> {
  const list = (status: string) => ownerDeliveries.list({ status, limit: '50' }, signal);
  const [failed, pending] = await Promise.all([list('failed'), list('pending')]);
  return [...failed.items, ...pending.items.filter((one) => one.attemptCount > 0)].toSorted(
    (one, other) => (timeOf(other) < timeOf(one) ? -1 : 1),
  );
}

function timeOf({ attemptedAt, createdAt }: Delivery): string {
  return attemptedAt ?? createdAt;
}

interface EndpointOptions {
  readonly items: readonly Endpoint[];
  readonly hasMore: boolean;
}

function Endpoints({ items, hasMore }: EndpointOptions) {
  const failures = useData('failures', readFailures, LIVE * 4);
  const latest = new Map<string, Delivery>();
  for (const one of failures.value?.toReversed() ?? []) latest.set(one.subscriberId, one);
  // Those that need somebody come first, also where they are beyond the first page.
  const ill = useFailing(items);
  const rank = (one: Endpoint) => {
    const state = stateNow(one, failureOf(one.id));
    return state === 'failing' ? 0 : state !== 'active' ? 1 : latest.has(one.id) ? 2 : 3;
  };
  const shown = [...ill, ...items]
    .toSorted((one, other) => rank(one) - rank(other))
    .slice(0, SHOWN);
  return (
    <>
      <Section
        title={t().endpoints}
        actions={<a href={linkTo('/endpoints')}>{t().figures.allEndpoints}</a>}
      >
        <Table
          caption={t().endpoints}
          rows={shown}
          keyOf={(one) => one.id}
          columns={[
            {
              title: t().url,
              kind: 'wide',
              cell: (one) => (
                <a href={linkTo(`/endpoints/${one.id}`)}>
                  <bdi>{one.url}</bdi>
                </a>
              ),
            },
            { title: t().state, cell: (one) => <StateNow endpoint={one} /> },
            { title: t().lastDay, kind: 'number', cell: (one) => <DayOf id={one.id} /> },
            {
              title: t().figures.lastFailure,
              cell: ({ id }) => <Failure delivery={latest.get(id)} />,
            },
          ]}
        />
        {(hasMore || items.length > SHOWN) && (
          <p class="hint">{t().figures.moreEndpoints(SHOWN)}</p>
        )}
      </Section>
      <Section
        title={t().figures.latestFailures}
        actions={<a href={linkTo('/deliveries', { status: 'failed' })}>{t().figures.allFailed}</a>}
      >
        <Loaded data={failures}>{(list) => <Failures rows={list.slice(0, LATEST)} />}</Loaded>
      </Section>
    </>
  );
}

/** Endpoints that have failed for long, and are not among those that were read. */
function useFailing(items: readonly Endpoint[]): readonly Endpoint[] {
  const missing = (health.value?.items ?? [])
    .slice(0, SHOWN)
    .map(({ subscriberId }) => subscriberId)
    .filter((id) => !items.some((one) => one.id === id));
  const found = useData(`failing ${missing.join(' ')}`, (signal) =>
    Promise.all(missing.map((id) => owner.find(id, signal))),
  );
  return found.value?.filter((one) => one !== null) ?? [];
}

function Failures({ rows }: { readonly rows: readonly Delivery[] }) {
  const nameOf = useEndpointNames(ownerDeliveries, rows);
  if (rows.length === 0) return <p class="faint">{t().figures.noFailures}</p>;
  return <DeliveryTable rows={rows} endpointName={nameOf} />;
}

/** The attempts of an endpoint in 24 hours. */
function DayOf({ id }: { readonly id: string }) {
  const { value, error } = useData(`figures ${id}`, (signal) =>
    owner.figures({ by: 'hour', subscriber: id }, signal),
  );
  if (value === undefined) return <span class="faint">{error === undefined ? '…' : '–'}</span>;
  const { attempts, failed } = value.total;
  return (
    <span>
      {t().figures.attempts(number(attempts))}
      {failed > 0 && <span class="bad"> {t().figures.failed(number(failed))}</span>}
    </span>
  );
}

function Failure({ delivery }: { readonly delivery: Delivery | undefined }) {
  if (delivery === undefined) return <span class="faint">–</span>;
  return (
    <a href={linkTo(`/deliveries/${delivery.id}`)}>
      <Time at={timeOf(delivery)} />
    </a>
  );
}
