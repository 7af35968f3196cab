import { useState } from 'preact/hooks';
import type { Attempt, DeliveryDetails } from '../core/model.js';
import { linkTo } from '../core/router.js';
import { owner } from '../core/source.js';
import { LIVE, useAction, useData } from '../core/use-data.js';
import { dateTime, milliseconds, t } from '../text/index.js';
import { Badge, Button, Empty, ErrorNote, Note, StatusCode, Time } from '../ui/basics.js';
import { Content } from '../ui/content.js';
import { Loaded, Screen, Section } from '../ui/screen.js';

export function DeliveryScreen({ id }: { readonly id: string }) {
  const data = useData(`delivery ${id}`, (signal) => owner.delivery(id, signal), LIVE);
  return (
    <Loaded data={data}>{(delivery) => <Shown delivery={delivery} reload={data.reload} />}</Loaded>
  );
}

function Shown({
  delivery,
  reload,
}: {
  readonly delivery: DeliveryDetails;
  readonly reload: () => void;
}) {
  const [isRetried, setRetried] = useState(false);
  const retry = useAction(async () => {
    await owner.retry(delivery.id);
    setRetried(true);
    reload();
  });
  return (
    <Screen
      title={delivery.event}
      lead={
        <>
          <Badge state={delivery.status} />
          <span class="mono break">{delivery.id}</span>
        </>
      }
      crumbs={[
        [t().endpoints, linkTo('/endpoints')],
        [t().endpoint, linkTo(`/endpoints/${delivery.subscriberId}`)],
      ]}
      actions={
        <Button onClick={retry.run} isBusy={retry.isBusy}>
          {t().retry}
        </Button>
      }
    >
      <div role="status">{isRetried && <Note tone="good">{t().retried}</Note>}</div>
      <ErrorNote error={retry.error} />
      <div class="columns">
        <Section title={t().attempts}>
          <Timeline delivery={delivery} />
        </Section>
        <Facts delivery={delivery} />
      </div>
    </Screen>
  );
}

function Timeline({ delivery }: { readonly delivery: DeliveryDetails }) {
  if (delivery.attempts.length === 0) {
    return (
      <Empty
        title={t().noAttempts}
        {...(delivery.nextAt && { hint: `${t().nextAttempt}: ${dateTime(delivery.nextAt)}` })}
      />
    );
  }
  return (
    <ol class="timeline">
      {[...delivery.attempts].reverse().map((attempt) => (
        <AttemptItem key={attempt.number} attempt={attempt} />
      ))}
    </ol>
  );
}

function AttemptItem({ attempt }: { readonly attempt: Attempt }) {
  const { status, error, response } = attempt;
  const isGood = status !== null && status >= 200 && status < 300;
  return (
    <li class={isGood ? 'good' : 'bad'}>
      <div class="attempt-head">
        <h3>{t().attempt(attempt.number)}</h3>
        {status !== null && <StatusCode status={status} />}
        <span class="faint">{milliseconds(attempt.duration)}</span>
        <span class="faint">{dateTime(attempt.startedAt)}</span>
      </div>
      {error !== null && <p class="bad">{error.message}</p>}
      {response !== null && (
        <Content label={t().answer} text={response} name={`answer-${attempt.number}.txt`} />
      )}
    </li>
  );
}

function Facts({ delivery }: { readonly delivery: DeliveryDetails }) {
  const reasons: Readonly<Record<string, string>> = t().reasons;
  return (
    <dl class="facts">
      {delivery.reason !== null && (
        <div>
          <dt>{t().reason}</dt>
          <dd>{reasons[delivery.reason] ?? delivery.reason}</dd>
        </div>
      )}
      {delivery.status === 'pending' && (
        <div>
          <dt>{t().nextAttempt}</dt>
          <dd>{delivery.rateLimited ? t().waitsForLimit : <Time at={delivery.nextAt} />}</dd>
        </div>
      )}
      <div>
        <dt>{t().created}</dt>
        <dd>{dateTime(delivery.createdAt)}</dd>
      </div>
      <div>
        <dt>{t().messageId}</dt>
        <dd class="mono">{delivery.messageId}</dd>
      </div>
    </dl>
  );
}
