import { useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import type { DeliverySource, ShownDelivery } from '../core/deliveries.js';
import { linkTo } from '../core/router.js';
import { can } from '../core/session.js';
import { LIVE, useData } from '../core/use-data.js';
import { useEdits } from '../core/use-edits.js';
import { dateTime, milliseconds, t } from '../text/index.js';
import { Button, Copyable, Empty, ErrorNote, Note, StatusCode } from '../ui/basics.js';
import { Countdown } from '../ui/countdown.js';
import { EndpointName } from '../ui/endpoint-name.js';
import { isWaitingFor, Loaded, Screen, Section } from '../ui/screen.js';
import { Skeleton } from '../ui/skeleton.js';
import { Answer, AttemptFault, Timeline } from './attempts.js';
import { DeliveryBadge, hasFailed, nextOf } from './delivery-status.js';
import { Cause } from './endpoint-failures.js';
import { RequestSection } from './sent-request.js';
import { SubjectLink, titleOf } from './subject.js';

interface Options {
  readonly id: string;
  readonly source: DeliverySource;
}

export function DeliveryScreen({ id, source }: Options) {
  const data = useData(`delivery ${source.base} ${id}`, (signal) => source.read(id, signal), LIVE);
  return (
    <Loaded
      data={data}
      as="facts box"
      head={{
        title: t().delivery,
        crumbs: [[t().deliveries, linkTo(`${source.base}/deliveries`)]],
      }}
    >
      {(delivery) => <Shown delivery={delivery} source={source} reload={data.reload} />}
    </Loaded>
  );
}

interface ShownOptions {
  readonly delivery: ShownDelivery;
  readonly source: DeliverySource;
  readonly reload: () => void;
}

function Shown({ delivery: read, source, reload }: ShownOptions) {
  const edits = useEdits<ShownDelivery>((one) => one.id);
  const delivery = { ...read, ...edits.of(read) };
  const { id, attempts, attemptCount } = delivery;
  const request = useData(
    `request ${source.base} ${id}`,
    (signal) => source.request(id, signal),
    undefined,
    attemptCount,
  );
  const [done, setDone] = useState<'retried' | 'cancelled'>();
  const edit = (what: typeof done, change: Partial<ShownDelivery>) => {
    setDone(undefined);
    edits.run(read, change, async () => {
      await source[what === 'retried' ? 'retry' : 'cancel'](id);
      setDone(what);
      reload();
    });
  };
  const retry = () =>
    edit('retried', { status: 'pending', reason: null, nextAt: new Date(now()).toISOString() });
  const cancel = () => edit('cancelled', { status: 'failed', reason: 'cancelled' });
  const latest = attempts.at(-1);
  return (
    <Screen
      title={titleOf(delivery)}
      lead={
        <>
          <DeliveryBadge delivery={delivery} />
          <span class="mono break">{id}</span>
          <Copyable text={id} label={t().lists.copyId} />
          <SubjectLink of={delivery} base={source.base} />
        </>
      }
      crumbs={[[t().deliveries, linkTo(`${source.base}/deliveries`)]]}
      actions={
        can('retry') && (
          <>
            {!delivery.expunged && (
              <Button kind="primary" onClick={retry}>
                {t().retry}
              </Button>
            )}
            {/* It stays until the API has answered, so that it still has the focus after a refusal. */}
            {[delivery.status, read.status].includes('pending') && (
              <Button
                kind="danger"
                onClick={cancel}
                isBusy={delivery.status !== 'pending'}
                isPassing
              >
                {t().cancelDelivery}
              </Button>
            )}
          </>
        )
      }
    >
      <div role="status">{done !== undefined && <Note tone="good">{t()[done]}</Note>}</div>
      <ErrorNote error={edits.error} />
      {latest !== undefined && hasFailed(delivery) && (
        <Note tone="bad">
          <Cause latest={delivery} error={latest.error} />
        </Note>
      )}
      <Next delivery={delivery} source={source} />
      <Facts delivery={delivery} source={source} />
      {isWaitingFor(request) ? (
        <Skeleton as="box" />
      ) : (
        <div class="exchange">
          <RequestSection delivery={delivery} data={request} />
          <Section title={t().answer}>
            {latest === undefined ? (
              <Empty title={t().noAttempts} />
            ) : (
              <>
                <p class="attempt-head">
                  {latest.status !== null && <StatusCode status={latest.status} />}
                  <span class="faint">{milliseconds(latest.duration)}</span>
                  <span class="faint">{dateTime(latest.startedAt)}</span>
                </p>
                <AttemptFault attempt={latest} />
                <Answer attempt={latest} />
              </>
            )}
          </Section>
        </div>
      )}
      {attempts.length > 0 && (
        <Section title={t().attempts}>
          <Timeline attempts={attempts} />
        </Section>
      )}
    </Screen>
  );
}

/** What comes next: the time that is left, or the delivery that has to end first. */
function Next({ delivery, source }: Omit<ShownOptions, 'reload'>) {
  const { nextAt, pause, rateLimited, blockedBy } = delivery;
  const text = nextOf(delivery);
  if (text === undefined) return null;
  const until = pause === null ? nextAt : pause.until;
  const isAhead = until !== null && Date.parse(until) > now();
  return (
    <Note tone="off">
      {isAhead && pause === null && !rateLimited ? t().nextAttempt : text}
      {isAhead && (
        <>
          {': '}
          <Countdown until={until} />
        </>
      )}
      {blockedBy !== null && (
        <>
          {'. '}
          <a href={linkTo(`${source.base}/deliveries/${blockedBy}`)}>{t().order.blockedHint}</a>
        </>
      )}
    </Note>
  );
}

function Facts({ delivery, source }: Omit<ShownOptions, 'reload'>) {
  const { url, description, subscriberId, messageId, reason } = delivery;
  const reasons: Readonly<Record<string, string>> = t().reasons;
  return (
    <dl class="facts facts-row">
      {reason !== null && (
        <div>
          <dt>{t().reason}</dt>
          <dd>{reasons[reason] ?? reason}</dd>
        </div>
      )}
      <div>
        <dt>{t().endpoint}</dt>
        <dd>
          <EndpointName
            {...{ url, description, id: subscriberId }}
            // The settings of the application name an endpoint without a URL.
            {...(url !== null && { href: linkTo(`${source.base}/endpoints/${subscriberId}`) })}
          />
        </dd>
      </div>
      <div>
        <dt>{t().created}</dt>
        <dd>{dateTime(delivery.createdAt)}</dd>
      </div>
      <div>
        <dt>{t().messageId}</dt>
        <dd class="mono">
          <a href={linkTo(`${source.base}/messages/${messageId}`)}>{messageId}</a>
        </dd>
      </div>
    </dl>
  );
}
