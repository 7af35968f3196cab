import { useState } from 'preact/hooks';
import { operator, type Overview } from '../core/operator.js';
import { LIVE, useAction, useData } from '../core/use-data.js';
import { ago, dateTime, milliseconds, number, t } from '../text/index.js';
import { refusalText } from '../text/problem-text.js';
import { Button, ErrorNote, Field, Time } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';
import { Figures } from '../ui/plot.js';
import { Loaded, Screen, Section } from '../ui/screen.js';
import { Table } from '../ui/table.js';
import { FailingEndpoints } from './operator-failing.js';
import { Load } from './operator-load.js';
import { Throughput } from './operator-throughput.js';

export function OperatorOverview() {
  const data = useData('operator overview', (signal) => operator.overview(signal), LIVE);
  const [isPausing, setPausing] = useState(false);
  return (
    <Screen
      title={t().overview}
      actions={<Button onClick={() => setPausing(true)}>{t().pauseHost}</Button>}
    >
      <Loaded data={data}>
        {(overview) => (
          <>
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
                [t().oldestDue, overview.oldestDue === null ? '–' : ago(overview.oldestDue)],
              ]}
            />
            {!overview.isWorker && <p class="faint">{t().operators.noWorker}</p>}
            <Throughput query={{}} />
            <Load overview={overview} />
            <FailingEndpoints rows={overview.failing} />
            <Failing overview={overview} />
            <Paused overview={overview} reload={data.reload} />
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

function Paused({
  overview,
  reload,
}: {
  readonly overview: Overview;
  readonly reload: () => void;
}) {
  const resume = useAction(async (host: string) => {
    await operator.resume(host);
    reload();
  });
  return (
    <Section title={t().pausedHosts}>
      <ErrorNote error={resume.error} />
      {overview.pauses.length === 0 ? (
        <p class="faint">{t().noPauses}</p>
      ) : (
        <Table
          caption={t().pausedHosts}
          rows={overview.pauses}
          keyOf={({ host }) => host}
          columns={[
            { title: t().host, kind: 'wide', cell: ({ host }) => host },
            {
              title: t().pausedSince,
              cell: ({ since }) => <Time at={new Date(since).toISOString()} />,
            },
            {
              title: t().actions,
              kind: 'number',
              cell: ({ host }) => (
                <Button
                  kind="quiet"
                  label={`${t().resumeHost}: ${host}`}
                  onClick={() => resume.run(host)}
                >
                  {t().resumeHost}
                </Button>
              ),
            },
          ]}
        />
      )}
    </Section>
  );
}

function Failing({ overview }: { readonly overview: Overview }) {
  return (
    <Section title={t().failingHosts}>
      {overview.endpoints.length === 0 ? (
        <p class="faint">{t().noFailing}</p>
      ) : (
        <Table
          caption={t().failingHosts}
          rows={overview.endpoints}
          keyOf={({ host }) => host}
          columns={[
            { title: t().host, kind: 'wide', cell: ({ host }) => host },
            { title: t().state, cell: ({ mode }) => t().mode[mode] },
            { title: t().failures, kind: 'number', cell: ({ failures }) => number(failures) },
            { title: t().until, cell: ({ until }) => (until === null ? '–' : dateTime(until)) },
          ]}
        />
      )}
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
