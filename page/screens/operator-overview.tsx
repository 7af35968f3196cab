import { useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import { operatorDeliveries } from '../core/deliveries.js';
import { operator, type Overview, type Pause } from '../core/operator.js';
import { linkTo } from '../core/router.js';
import { LIVE, useAction, useData } from '../core/use-data.js';
import { useEdits } from '../core/use-edits.js';
import { ago, dateTime, milliseconds, number, t } from '../text/index.js';
import { refusalText } from '../text/problem-text.js';
import { Button, ErrorNote, Field, Note, Time } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';
import { Figures } from '../ui/plot.js';
import { Loaded, Screen, Section } from '../ui/screen.js';
import { Table } from '../ui/table.js';
import { PickedDeliveries, type PickedTime } from './picked-deliveries.js';
import { LATE } from './delivery-status.js';
import { FailingEndpoints } from './operator-failing.js';
import { Load } from './operator-load.js';
import { Throughput } from './operator-throughput.js';

export function OperatorOverview() {
  const data = useData('operator overview', (signal) => operator.overview(signal), LIVE);
  const [isPausing, setPausing] = useState(false);
  const [time, setTime] = useState<PickedTime>();
  return (
    <Screen
      title={t().overview}
      actions={<Button onClick={() => setPausing(true)}>{t().pauseHost}</Button>}
    >
      <Loaded data={data} as="tiles chart rows">
        {(overview) => (
          <>
            <Trouble overview={overview} reload={data.reload} />
            <Section title={t().operators.now}>
              <Figures
                items={[
                  [t().backlog, number(overview.pending + overview.pendingMessages)],
                  [t().due, number(overview.due + overview.dueMessages)],
                  [t().lag, milliseconds(overview.lag), overview.lag > 60_000 ? 'bad' : undefined],
                  [t().underWay, number(overview.leased)],
                  [t().rateLimited, number(overview.rateLimited)],
                  // Few applications have ordered subscribers.
                  ...(overview.blocked + overview.holding === 0
                    ? []
                    : ([
                        [t().order.blocked, number(overview.blocked)],
                        [t().order.holding, number(overview.holding)],
                      ] as const)),
                  [t().failedDeliveries, number(overview.failed)],
                  [t().inFlight, number(overview.activity.inFlight)],
                ]}
              />
            </Section>
            {!overview.isWorker && <p class="faint">{t().operators.noWorker}</p>}
            <Throughput query={{}} onPick={setTime} />
            {time !== undefined && (
              <PickedDeliveries
                time={time}
                source={operatorDeliveries}
                onClear={() => setTime(undefined)}
              />
            )}
            <Load overview={overview} />
          </>
        )}
      </Loaded>
      {isPausing && (
        <PauseDialog
          onClose={() => {
            setPausing(false);
            data.reload();
          }}
        />
      )}
    </Screen>
  );
}

interface TroubleOptions {
  readonly overview: Overview;
  readonly reload: () => void;
}

/** What is wrong, before any figures: endpoints that fail, hosts that get nothing, and what waits for too long. */
function Trouble({ overview, reload }: TroubleOptions) {
  const { failing, failingSubscribers, pauses, endpoints, oldestDue, oldestDelivery } = overview;
  const isLate = oldestDue !== null && now() - oldestDue > LATE;
  if (failing.length + pauses.length + endpoints.length === 0 && !isLate) {
    return <Note tone="good">{t().operators.allWell}</Note>;
  }
  return (
    <>
      {isLate && (
        <Note tone="bad">
          {t().operators.oldest(ago(oldestDue))} {whyLate(overview)}{' '}
          {oldestDelivery !== null && (
            <>
              <a href={linkTo(`/operator/deliveries/${oldestDelivery}`)}>
                {t().operators.showOldest}
              </a>
              {' · '}
            </>
          )}
          <a href={linkTo('/operator/deliveries', { status: 'pending' })}>
            {t().operators.showPending}
          </a>
        </Note>
      )}
      <FailingEndpoints rows={failing} total={failingSubscribers} />
      <Paused overview={overview} reload={reload} />
      <Failing overview={overview} />
    </>
  );
}

/** Why deliveries that are due are not sent, as far as the overview knows. */
function whyLate({ pauses, isWorker, activity, endpoints, leased }: Overview): string {
  const texts = t().operators.late;
  if (pauses.some(({ host }) => host === '*')) return texts.allPaused;
  if (pauses.length > 0) return texts.paused;
  if (endpoints.some(({ mode }) => mode !== 'flowing')) return texts.broken;
  if (leased === 0 && activity.inFlight === 0) return isWorker ? texts.idle : texts.noWorker;
  return texts.busy;
}

/** The deliveries of a host. */
/** The name of a host that is paused. */
function hostText(host: string): string {
  return host === '*' ? t().operators.allHosts : host;
}

function Paused({ overview, reload }: TroubleOptions) {
  const edits = useEdits<Pause>(({ host }) => host);
  const resume = (pause: Pause) =>
    edits.run(pause, {}, async () => {
      await operator.resume(pause.host);
      reload();
    });
  if (overview.pauses.length === 0) return null;
  return (
    <Section title={t().pausedHosts}>
      <ErrorNote error={edits.error} />
      <Table
        caption={t().pausedHosts}
        rows={overview.pauses}
        keyOf={({ host }) => host}
        columns={[
          { title: t().host, kind: 'wide', cell: ({ host }) => hostText(host) },
          {
            title: t().pausedSince,
            cell: (one) =>
              edits.of(one) === undefined ? (
                <Time at={new Date(one.since).toISOString()} />
              ) : (
                t().operators.resumed
              ),
          },
          {
            title: t().actions,
            kind: 'number',
            cell: (one) => (
              <Button
                kind="quiet"
                label={`${t().resumeHost}: ${one.host}`}
                onClick={() => resume(one)}
                isBusy={edits.of(one) !== undefined}
                isPassing
              >
                {t().resumeHost}
              </Button>
            ),
          },
        ]}
      />
    </Section>
  );
}

function Failing({ overview }: { readonly overview: Overview }) {
  if (overview.endpoints.length === 0) return null;
  return (
    <Section title={t().failingHosts}>
      <Table
        caption={t().failingHosts}
        rows={overview.endpoints}
        isWhole
        keyOf={({ host }) => host}
        columns={[
          { title: t().host, kind: 'wide', cell: ({ host }) => hostText(host) },
          { title: t().state, cell: ({ mode }) => t().mode[mode] },
          {
            title: t().failures,
            kind: 'number',
            cell: ({ failures }) => number(failures),
            sort: ({ failures }) => failures,
          },
          { title: t().until, cell: ({ until }) => (until === null ? '–' : dateTime(until)) },
        ]}
      />
    </Section>
  );
}

function PauseDialog({ onClose }: { readonly onClose: () => void }) {
  const [host, setHost] = useState('');
  const pause = useAction(async () => {
    await operator.pause(host.trim());
    onClose();
  });
  const reason = refusalText(pause.error?.refusalOf('host'));
  return (
    <Dialog title={t().pauseHost} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          pause.run();
        }}
      >
        <Field label={t().host} hint={t().pauseHint} error={reason}>
          {(attributes) => (
            <input
              {...attributes}
              type="text"
              spellcheck={false}
              placeholder="hooks.example.com"
              value={host}
              onInput={({ currentTarget }) => setHost(currentTarget.value)}
            />
          )}
        </Field>
        <ErrorNote error={reason === undefined ? pause.error : undefined} />
        <div class="form-end">
          <Button onClick={onClose}>{t().cancel}</Button>
          <Button kind="primary" type="submit" isBusy={pause.isBusy}>
            {t().pause}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
