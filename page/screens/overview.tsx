import { useState } from 'preact/hooks';
import type { Delivery, EndpointOverview } from '../core/model.js';
import { ownerDeliveries } from '../core/deliveries.js';
import { linkTo, place, setQuery } from '../core/router.js';
import { can } from '../core/session.js';
import { owner } from '../core/source.js';
import { LIVE, useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Empty, Time } from '../ui/basics.js';
import { Loaded, Screen, Section } from '../ui/screen.js';
import { EndpointName } from '../ui/endpoint-name.js';
import { Table } from '../ui/table.js';
import { Tabs } from '../ui/tabs.js';
import { Activity, type PickOptions } from './activity.js';
import { PickedDeliveries, type PickedTime } from './picked-deliveries.js';
import { hasFailed } from './delivery-status.js';
import { DeliveryTable } from './delivery-table.js';
import { lastDayColumn, StateNow } from './endpoint-state.js';
import { FirstVisit } from './first-visit.js';

const LATEST = 5;

/** The state of the owner's endpoints, and their latest deliveries. */
export function OverviewScreen() {
  const overview = useData('overview', (signal) => owner.overview(signal), LIVE * 4);
  const [time, setTime] = useState<PickedTime>();
  const add = can('write', 'secrets') && (
    <a class="button primary" href={linkTo('/endpoints/new')}>
      {t().addEndpoint}
    </a>
  );
  return (
    <Screen title={t().overview} actions={overview.value?.endpoints !== 0 && add}>
      <Loaded data={overview} as="tiles chart rows">
        {(value) =>
          value.endpoints === 0 ? (
            <FirstVisit />
          ) : (
            <>
              {value.figures?.total.attempts === 0 && <Untried id={value.items[0]?.id} />}
              <Everything figures={value.figures} onPick={setTime} />
              {time !== undefined && (
                <PickedDeliveries
                  time={time}
                  source={ownerDeliveries}
                  onClear={() => setTime(undefined)}
                />
              )}
              <Endpoints {...value} />
              <Failures />
            </>
          )
        }
      </Loaded>
    </Screen>
  );
}

/** Leads on to a test while nothing was ever sent. Attempts of a day may be none for an owner of old as well. */
function Untried({ id }: { readonly id: string | undefined }) {
  const deliveries = useData('any delivery', (signal) =>
    ownerDeliveries.list({ limit: '1' }, signal),
  );
  return deliveries.value?.items.length === 0 ? <FirstVisit endpoint={id} /> : null;
}

function Everything({ figures, onPick }: Pick<EndpointOverview, 'figures'> & PickOptions) {
  const by = place.value.query['by'] === 'day' ? 'day' : 'hour';
  return (
    <Section
      title={by === 'hour' ? t().lastDay : t().lastDays(30)}
      actions={
        <Tabs
          label={t().time}
          items={[
            ['', t().figures.byHour],
            ['day', t().figures.byDay],
          ]}
          chosen={by === 'day' ? by : ''}
          onChoose={(one) => setQuery({ by: one })}
        />
      }
    >
      {by === 'day' ? (
        <ByDay onPick={onPick} />
      ) : figures === null ? (
        <Empty title={t().problems['no-delivery-log']} />
      ) : (
        <Activity {...figures} onPick={onPick} />
      )}
    </Section>
  );
}

function ByDay({ onPick }: PickOptions) {
  const history = useData('figures', (signal) => owner.figures({ by: 'day' }, signal), LIVE * 4);
  return (
    <Loaded data={history} as="tiles chart">
      {(value) => <Activity {...value} onPick={onPick} />}
    </Loaded>
  );
}

/** Deliveries that failed, or whose latest attempt did, the newest first. */
async function readFailures(signal: AbortSignal): Promise<readonly Delivery[]> {
  const list = (status: string) => ownerDeliveries.list({ status, limit: '50' }, signal);
  const [failed, pending] = await Promise.all([list('failed'), list('pending')]);
  return [...failed.items, ...pending.items.filter(hasFailed)].toSorted((one, other) =>
    timeOf(other) < timeOf(one) ? -1 : 1,
  );
}

function timeOf({ attemptedAt, createdAt }: Delivery): string {
  return attemptedAt ?? createdAt;
}

function Endpoints({ endpoints, items }: EndpointOverview) {
  return (
    <Section
      title={t().endpoints}
      actions={<a href={linkTo('/endpoints')}>{t().figures.allEndpoints}</a>}
    >
      <Table
        caption={t().endpoints}
        rows={items}
        keyOf={(one) => one.id}
        columns={[
          {
            title: t().endpoint,
            kind: 'name',
            cell: ({ id, url, description }) => (
              <EndpointName {...{ id, url, description }} href={linkTo(`/endpoints/${id}`)} />
            ),
          },
          { title: t().state, cell: (one) => <StateNow endpoint={one} /> },
          { ...lastDayColumn(), kind: 'number' },
          { title: t().figures.lastFailure, cell: (one) => <LastFailure {...one} /> },
        ]}
      />
      {endpoints > items.length && <p class="hint">{t().figures.moreEndpoints(items.length)}</p>}
    </Section>
  );
}

type Item = EndpointOverview['items'][number];

function LastFailure({ id, lastDay }: Item) {
  if (lastDay === null || lastDay.failedAt === null) return <span class="faint">–</span>;
  return (
    <a href={linkTo('/deliveries', { endpoint: id, time: 'lastDay' })}>
      <Time at={lastDay.failedAt} />
    </a>
  );
}

function Failures() {
  const failures = useData('failures', readFailures, LIVE * 4);
  return (
    <Section
      title={t().figures.latestFailures}
      actions={<a href={linkTo('/deliveries', { status: 'failed' })}>{t().figures.allFailed}</a>}
    >
      <Loaded data={failures} as="rows">
        {(list) =>
          list.length === 0 ? (
            <p class="faint">{t().figures.noFailures}</p>
          ) : (
            <DeliveryTable rows={list.slice(0, LATEST)} />
          )
        }
      </Loaded>
    </Section>
  );
}
