import { useState } from 'preact/hooks';
import { operatorDeliveries } from '../core/deliveries.js';
import type { Endpoint } from '../core/model.js';
import { operator } from '../core/operator.js';
import { go, linkTo } from '../core/router.js';
import { WITH_LAST_DAY } from '../core/source.js';
import { LIVE, useAction, useData } from '../core/use-data.js';
import { useEdits } from '../core/use-edits.js';
import { day, t } from '../text/index.js';
import { Button, ErrorNote } from '../ui/basics.js';
import { isWaitingFor, Loaded, Screen, Section } from '../ui/screen.js';
import { Skeleton } from '../ui/skeleton.js';
import { type BulkKind, BulkDialog } from './bulk-dialog.js';
import { PickedDeliveries, type PickedTime } from './picked-deliveries.js';
import { Address, nameOf } from './endpoint-address.js';
import { Recent, useRecent } from './endpoint-recent.js';
import { Settings } from './endpoint-settings.js';
import { Changes, useChanges } from './endpoint-changes.js';
import { BlockedOrder, LastFailures } from './endpoint-failures.js';
import { HealthLine, HealthNotice } from './endpoint-health.js';
import { StateNow, turned } from './endpoint-state.js';
import { Throughput } from './operator-throughput.js';

/** An endpoint of any owner, as operators see it. Its owner has another screen. */
export function OperatorEndpoint({ id }: { readonly id: string }) {
  const data = useData(
    `any endpoint ${id}`,
    (signal) => operator.endpoint(id, signal, WITH_LAST_DAY),
    LIVE * 4,
  );
  return (
    <Loaded
      data={data}
      as="tiles chart rows"
      head={{ title: t().endpoint, crumbs: [[t().endpoints, linkTo('/operator/endpoints')]] }}
    >
      {(endpoint) => <Shown endpoint={endpoint} reload={data.reload} />}
    </Loaded>
  );
}

function Shown({
  endpoint: read,
  reload,
}: {
  readonly endpoint: Endpoint;
  readonly reload: () => void;
}) {
  const edits = useEdits<Endpoint>(({ id }) => id);
  const endpoint = { ...read, ...edits.of(read) };
  const { id, owner, enabled } = endpoint;
  const [open, setOpen] = useState<BulkKind>();
  const [time, setTime] = useState<PickedTime>();
  const { host } = new URL(endpoint.url);
  const recent = useRecent(id, operatorDeliveries);
  const changes = useChanges(id, operator.changes);
  const days = useData(
    `days ${id}`,
    (signal) => operator.stats({ subscriber: id, by: 'day' }, signal),
    LIVE * 4,
  );
  const all = () => {
    reload();
    changes.restart();
  };
  const turn = () =>
    edits.run(read, turned(endpoint), async () => {
      await operator.turn(id, enabled ? 'disable' : 'enable');
      all();
    });
  const pause = useAction(async () => {
    await operator.pause(host);
    go('/operator');
  });
  return (
    <Screen
      title={nameOf(endpoint)}
      lead={
        <>
          <StateNow endpoint={endpoint} />
          <Address endpoint={endpoint} />
        </>
      }
      crumbs={[[t().endpoints, linkTo('/operator/endpoints')]]}
      actions={
        <>
          <Button onClick={() => setOpen('recover')}>{t().recover}</Button>
          <Button onClick={() => setOpen('backfill')}>{t().backfill}</Button>
          <Button onClick={pause.run} isBusy={pause.isBusy}>
            {t().operators.pauseThis(host)}
          </Button>
          <Button onClick={turn}>{enabled ? t().disable : t().enable}</Button>
        </>
      }
    >
      <ErrorNote error={edits.error ?? pause.error} />
      {isWaitingFor(days, recent.data, changes.data) ? (
        <Skeleton as="tiles chart rows" />
      ) : (
        <>
          <HealthNotice
            endpoint={endpoint}
            changes={changes.data.value?.items}
            failure={recent.failures[0]}
            onBulk={setOpen}
          />
          <BlockedOrder endpoint={endpoint} items={recent.items} source={operatorDeliveries} />
          {days.value !== undefined && <Days items={days.value.items} />}
          <div class="columns">
            <div>
              <LastFailures failures={recent.failures} source={operatorDeliveries} />
              <Throughput query={{ subscriber: id }} onPick={setTime} />
              {time === undefined ? (
                <Recent id={id} recent={recent} source={operatorDeliveries} />
              ) : (
                <PickedDeliveries
                  time={time}
                  endpoint={id}
                  source={operatorDeliveries}
                  onClear={() => setTime(undefined)}
                />
              )}
              <Changes pages={changes} />
            </div>
            <div>
              <Section title={t().settings}>
                <dl class="facts">
                  <div>
                    <dt>{t().owner}</dt>
                    <dd>
                      {owner == null ? (
                        t().applicationsOwn
                      ) : (
                        <a href={linkTo('/operator/endpoints', { owner })}>
                          <bdi>{owner}</bdi>
                        </a>
                      )}
                    </dd>
                  </div>
                </dl>
                <Settings endpoint={endpoint} />
              </Section>
            </div>
          </div>
        </>
      )}
      {open !== undefined && (
        <BulkDialog
          kind={open}
          step={(kind, body) => operator.bulk(id, kind, body)}
          onClose={() => {
            setOpen(undefined);
            all();
          }}
        />
      )}
    </Screen>
  );
}

/** The health of an endpoint by days. */
function Days({ items }: Pick<Awaited<ReturnType<typeof operator.stats>>, 'items'>) {
  return (
    <HealthLine
      days={items.map(({ at, attempts, failed }) => ({
        ...{ name: day(new Date(at).toISOString()), attempts, failed },
      }))}
    />
  );
}
