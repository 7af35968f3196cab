import { useState } from 'preact/hooks';
import type { DeliverySource, ShownAttempt, ShownDelivery } from '../core/deliveries.js';
import { can } from '../core/session.js';
import { linkTo } from '../core/router.js';
import { LIVE, useAction, useData } from '../core/use-data.js';
import { attemptDetail, attemptError, dateTime, milliseconds, t } from '../text/index.js';
import { Button, Empty, ErrorNote, Note, StatusCode, Time } from '../ui/basics.js';
import { Content } from '../ui/content.js';
import { Loaded, Screen, Section } from '../ui/screen.js';
import { AnswerHeaders } from './answer-headers.js';
import { Status } from './delivery-table.js';
import { RequestSection } from './sent-request.js';

interface Options {
  readonly id: string;
  readonly source: DeliverySource;
}

export function DeliveryScreen({ id, source }: Options) {
  const data = useData(`delivery ${source.base} ${id}`, (signal) => source.read(id, signal), LIVE);
  return (
    <Loaded data={data} title={t().delivery}>
      {(delivery) => <Shown delivery={delivery} source={source} reload={data.reload} />}
    </Loaded>
  );
}

interface ShownOptions {
  readonly delivery: ShownDelivery;
  readonly source: DeliverySource;
  readonly reload: () => void;
}

function Shown({ delivery, source, reload }: ShownOptions) {
  const request = useData(
    `request ${source.base} ${delivery.id} ${delivery.attemptCount}`,
    (signal) => source.request(delivery.id, signal),
  );
  const [done, setDone] = useState<'retried' | 'cancelled'>();
  const retry = useAction(async () => {
    setDone(undefined);
    await source.retry(delivery.id);
    setDone('retried');
    reload();
  });
  const cancel = useAction(async () => {
    setDone(undefined);
    await source.cancel(delivery.id);
    setDone('cancelled');
    reload();
  });
  return (
    <Screen
      title={delivery.event}
      lead={
        <>
          <Status delivery={delivery} />
          <span class="mono break">{delivery.id}</span>
        </>
      }
      crumbs={[[t().deliveries, linkTo(`${source.base}/deliveries`)]]}
      actions={
        can('retry') && (
          <>
            {delivery.status === 'pending' && (
              <Button kind="danger" onClick={cancel.run} isBusy={cancel.isBusy}>
                {t().cancelDelivery}
              </Button>
            )}
            {!delivery.expunged && (
              <Button onClick={retry.run} isBusy={retry.isBusy}>
                {t().retry}
              </Button>
            )}
          </>
        )
      }
    >
      <div role="status">{done !== undefined && <Note tone="good">{t()[done]}</Note>}</div>
      <ErrorNote error={retry.error ?? cancel.error} />
      <div class="columns">
        <div>
          <Section title={t().attempts}>
            <Timeline delivery={delivery} />
          </Section>
          <RequestSection delivery={delivery} data={request} />
        </div>
        <Facts delivery={delivery} source={source} />
      </div>
    </Screen>
  );
}

function Timeline({ delivery }: { readonly delivery: ShownDelivery }) {
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

function AttemptItem({ attempt }: { readonly attempt: ShownAttempt }) {
  const { status, error, response } = attempt;
  const facts = t().attemptFacts;
  const isGood = status !== null && status >= 200 && status < 300;
  return (
    <li class={isGood ? 'good' : 'bad'}>
      <div class="attempt-head">
        <h3>{t().attempt(attempt.number)}</h3>
        {status !== null && <StatusCode status={status} />}
        <span class="faint">{milliseconds(attempt.duration)}</span>
        <span class="faint">{dateTime(attempt.startedAt)}</span>
      </div>
      {/* Operators see the reason itself. */}
      {error !== null && (
        <p class="bad">
          {attemptError(error)}
          {attempt.address !== undefined && (
            <small class="break" lang="en">
              {attemptDetail(error)}
            </small>
          )}
        </p>
      )}
      {(Object.keys(facts) as (keyof typeof facts)[]).map(
        (name) =>
          attempt[name] != null && (
            <p class="faint" key={name}>
              {facts[name]}: {attempt[name]}
            </p>
          ),
      )}
      {attempt.answerHeaders !== null && Object.keys(attempt.answerHeaders).length > 0 && (
        <AnswerHeaders headers={attempt.answerHeaders} />
      )}
      {response !== null && (
        <Content label={t().answer} text={response} name={`answer-${attempt.number}.txt`} />
      )}
    </li>
  );
}

function Facts({ delivery, source }: Omit<ShownOptions, 'reload'>) {
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
          <dd>
            {delivery.rateLimited ? (
              t().waitsForLimit
            ) : delivery.blocked && delivery.blockedBy !== null ? (
              <a href={linkTo(`${source.base}/deliveries/${delivery.blockedBy}`)}>
                {t().order.blockedHint}
              </a>
            ) : delivery.blocked ? (
              t().order.blockedHint
            ) : (
              <Time at={delivery.nextAt} />
            )}
          </dd>
        </div>
      )}
      <div>
        <dt>{t().created}</dt>
        <dd>{dateTime(delivery.createdAt)}</dd>
      </div>
      <div>
        <dt>{t().endpoint}</dt>
        <dd class="break">
          {delivery.url === null ? (
            // The settings of the application name it.
            delivery.subscriberId
          ) : (
            <a href={linkTo(`${source.base}/endpoints/${delivery.subscriberId}`)}>
              <bdi>{delivery.url}</bdi>
            </a>
          )}
        </dd>
      </div>
      <div>
        <dt>{t().messageId}</dt>
        <dd class="mono">
          <a href={linkTo(`${source.base}/deliveries`, { id: delivery.messageId })}>
            {delivery.messageId}
          </a>
        </dd>
      </div>
    </dl>
  );
}
