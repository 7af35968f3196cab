import { useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import type { Endpoint, EndpointNow, Stats } from '../core/model.js';
import { linkTo } from '../core/router.js';
import { ownerDeliveries } from '../core/deliveries.js';
import { can } from '../core/session.js';
import { owner, type TaggedEndpoint, WITH_LAST_DAY } from '../core/source.js';
import { type Data, LIVE, useAction, useData } from '../core/use-data.js';
import { useEdits } from '../core/use-edits.js';
import { ago, day, t } from '../text/index.js';
import { Button, Empty, ErrorNote, Note } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';
import { isWaitingFor, Loaded, Screen, Section } from '../ui/screen.js';
import { Skeleton } from '../ui/skeleton.js';
import { DayActivity, type PickOptions } from './activity.js';
import { PickedDeliveries, type PickedTime } from './picked-deliveries.js';
import { BulkDialog } from './bulk-dialog.js';
import { until } from './delivery-status.js';
import { Changes, useChanges } from './endpoint-changes.js';
import { BlockedOrder, LastFailures } from './endpoint-failures.js';
import { Address, nameOf } from './endpoint-address.js';
import { HealthLine, HealthNotice } from './endpoint-health.js';
import { Recent, useRecent } from './endpoint-recent.js';
import { Settings } from './endpoint-settings.js';
import { EditDialog } from './edit-dialog.js';
import {
  DeleteDialog,
  DisableDialog,
  EndRotationDialog,
  RotateDialog,
} from './endpoint-dialogs.js';
import { StateBadge, turned } from './endpoint-state.js';
import { TestPanel } from './test-panel.js';

const DAYS = 14;

export function EndpointScreen({ id }: { readonly id: string }) {
  const data = useData(
    `endpoint ${id}`,
    (signal) => owner.endpoint(id, signal, WITH_LAST_DAY),
    LIVE * 4,
  );
  return (
    <Loaded
      data={data}
      as="tiles chart rows"
      head={{ title: t().endpoint, crumbs: [[t().endpoints, linkTo('/endpoints')]] }}
    >
      {(read) => <Shown read={read} reload={data.reload} />}
    </Loaded>
  );
}

type Open =
  'edit' | 'test' | 'rotate' | 'end rotation' | 'disable' | 'delete' | 'recover' | 'backfill';

interface ShownOptions {
  readonly read: TaggedEndpoint;
  readonly reload: () => void;
}

function Shown({ read, reload }: ShownOptions) {
  const edits = useEdits<Endpoint>(({ id }) => id);
  const endpoint = { ...read.endpoint, ...edits.of(read.endpoint) };
  const { id, state } = endpoint;
  const stats = useData(`stats ${id}`, (signal) => owner.stats(id, DAYS, signal), LIVE * 4);
  const [open, setOpen] = useState<Open>();
  const [time, setTime] = useState<PickedTime>();
  const [saved, setSaved] = useState<readonly string[]>();
  const [hasEnded, setEnded] = useState(false);
  const start = (what: Open) => {
    setSaved(undefined);
    setEnded(false);
    setOpen(what);
  };
  const recent = useRecent(id, ownerDeliveries);
  const changes = useChanges(id, owner.changes);
  const all = () => {
    reload();
    changes.restart();
  };
  const close = () => {
    setOpen(undefined);
    all();
  };
  const turn = (send: (id: string) => Promise<unknown>) =>
    edits.run(read.endpoint, turned(endpoint), async () => {
      await send(id);
      all();
    });
  const challenge = useAction(async () => {
    await owner.challenge(id);
    all();
  });
  return (
    <Screen
      title={nameOf(endpoint)}
      lead={
        <>
          <StateBadge endpoint={endpoint} />
          <Address endpoint={endpoint} />
        </>
      }
      crumbs={[[t().endpoints, linkTo('/endpoints')]]}
      actions={
        <>
          {can('test') && <Button onClick={() => start('test')}>{t().test}</Button>}
          {can('write') && <Button onClick={() => start('edit')}>{t().edit}</Button>}
          {can('retry') && (
            <>
              <Button onClick={() => start('recover')}>{t().recover}</Button>
              <Button onClick={() => start('backfill')}>{t().backfill}</Button>
            </>
          )}
          {can('secrets') && <Button onClick={() => start('rotate')}>{t().rotate}</Button>}
          {can('write') &&
            (endpoint.enabled ? (
              <Button onClick={() => start('disable')}>{t().disable}</Button>
            ) : (
              <Button kind="primary" onClick={() => turn(owner.enable)}>
                {t().enable}
              </Button>
            ))}
          {can('write') && (
            <Button kind="danger" onClick={() => start('delete')}>
              {t().remove}
            </Button>
          )}
        </>
      }
    >
      <ErrorNote error={edits.error ?? challenge.error} />
      <div role="status">
        {saved !== undefined && (
          <Note tone={saved.length === 0 ? 'off' : 'good'}>
            {saved.length === 0 ? t().form.nothingToSave : t().form.saved(saved.join(', '))}
          </Note>
        )}
        {hasEnded && <Note tone="good">{t().endpointTexts.rotation.ended}</Note>}
      </div>
      <OldSecret endpoint={endpoint} onEnd={() => start('end rotation')} />
      {isWaitingFor(stats, recent.data, changes.data) ? (
        <Skeleton as="tiles chart rows" />
      ) : (
        <>
          <HealthNotice
            endpoint={endpoint}
            changes={changes.data.value?.items}
            failingMessages={stats.value?.failingMessages}
            failure={recent.failures[0]}
            onBulk={can('retry') ? start : undefined}
          />
          {endpoint.enabled && <Pause pause={stats.value?.pause ?? null} />}
          <BlockedOrder endpoint={endpoint} items={recent.items} source={ownerDeliveries} />
          {state === 'expired' && <Note tone="off">{t().expiredNote}</Note>}
          {state === 'unverified' && (
            <Note>
              {t().unverifiedNote}{' '}
              {can('test') && (
                <Button onClick={challenge.run} isBusy={challenge.isBusy}>
                  {t().challenge}
                </Button>
              )}
            </Note>
          )}
          {stats.value !== undefined && <Days days={stats.value.days} />}
          <div class="columns">
            <div>
              <LastFailures failures={recent.failures} source={ownerDeliveries} />
              <History stats={stats} onPick={setTime} />
              {time === undefined ? (
                <Recent id={id} recent={recent} source={ownerDeliveries} />
              ) : (
                <PickedDeliveries
                  time={time}
                  endpoint={id}
                  source={ownerDeliveries}
                  onClear={() => setTime(undefined)}
                />
              )}
              <Changes pages={changes} />
            </div>
            <div>
              <Section title={t().settings}>
                <Settings endpoint={endpoint} />
              </Section>
            </div>
          </div>
        </>
      )}
      {open === 'edit' && (
        <EditDialog
          read={read}
          onClose={close}
          onSaved={(labels) => {
            setSaved(labels);
            close();
          }}
        />
      )}
      {open === 'test' && (
        <Dialog title={t().test} onClose={() => setOpen(undefined)}>
          <TestPanel id={id} />
          <div class="form-end">
            <Button onClick={() => setOpen(undefined)}>{t().close}</Button>
          </div>
        </Dialog>
      )}
      {open === 'disable' && (
        <DisableDialog
          onYes={() => {
            setOpen(undefined);
            turn(owner.disable);
          }}
          onClose={close}
        />
      )}
      {open === 'rotate' && <RotateDialog id={id} onClose={close} />}
      {open === 'end rotation' && (
        <EndRotationDialog
          id={id}
          onDone={() => {
            setEnded(true);
            close();
          }}
          onClose={close}
        />
      )}
      {open === 'delete' && <DeleteDialog id={id} onClose={() => setOpen(undefined)} />}
      {(open === 'recover' || open === 'backfill') && (
        <BulkDialog kind={open} step={(kind, body) => owner.bulk(id, kind, body)} onClose={close} />
      )}
    </Screen>
  );
}

/** Says how long the secrets from before a rotation sign, and ends them. */
function OldSecret({
  endpoint: { rotationEndsAt },
  onEnd,
}: {
  readonly endpoint: Endpoint;
  readonly onEnd: () => void;
}) {
  const texts = t().endpointTexts.rotation;
  if (rotationEndsAt === null || Date.parse(rotationEndsAt) <= now()) return null;
  return (
    <Note tone="off">
      {texts.signs(until(rotationEndsAt))}{' '}
      {can('secrets') && (
        <Button onClick={onEnd} isPassing>
          {texts.endNow}
        </Button>
      )}
    </Note>
  );
}

/** Says why nothing is sent to an endpoint for now. */
function Pause({ pause }: Pick<EndpointNow, 'pause'>) {
  if (pause === null) return null;
  const texts = t().health;
  return (
    <Note>
      {texts.pause[pause.reason]} {pause.until !== null && texts.until(ago(pause.until))}
    </Note>
  );
}

function Days({ days }: Pick<Stats, 'days'>) {
  return (
    <HealthLine
      days={days.map((one) => ({
        name: day(one.day),
        attempts: one.attempts,
        failed: one.failedAttempts,
      }))}
    />
  );
}

function History({ stats, onPick }: { readonly stats: Data<Stats> } & PickOptions) {
  return (
    <Section title={t().lastDays(DAYS)}>
      <Loaded data={stats} as="tiles chart">
        {(value) =>
          value.total.attempts === 0 ? (
            <Empty title={t().noFigures} />
          ) : (
            <DayActivity {...value} onPick={onPick} />
          )
        }
      </Loaded>
    </Section>
  );
}
