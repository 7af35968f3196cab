import { useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import type { Delivery, DeliveryPage, Endpoint, EndpointNow, Stats } from '../core/model.js';
import { go, linkTo } from '../core/router.js';
import { type DeliverySource, ownerDeliveries } from '../core/deliveries.js';
import { can } from '../core/session.js';
import { owner, type TaggedEndpoint } from '../core/source.js';
import { type Data, LIVE, useAction, useData } from '../core/use-data.js';
import { ago, dateTime, day, t } from '../text/index.js';
import { Badge, Button, Copyable, Empty, ErrorNote, Note } from '../ui/basics.js';
import { Content } from '../ui/content.js';
import { Countdown } from '../ui/countdown.js';
import { Dialog } from '../ui/dialog.js';
import type { Span } from '../ui/plot.js';
import { Loaded, Screen, Section } from '../ui/screen.js';
import { DayActivity } from './activity.js';
import { BulkDialog } from './bulk-dialog.js';
import { DeliveryTable } from './delivery-table.js';
import { Changes, useChanges } from './endpoint-changes.js';
import { BlockedOrder, failuresAmong, LastFailures } from './endpoint-failures.js';
import { FORM_FIELD_LIST } from './endpoint-fields.js';
import { HealthLine, HealthNotice } from './endpoint-health.js';
import { EditDialog } from './edit-dialog.js';
import { DeleteDialog, DisableDialog, RotateDialog } from './endpoint-dialogs.js';
import { Patterns } from './endpoints.js';
import { TestPanel } from './test-panel.js';

const DAYS = 14;

export function EndpointScreen({ id }: { readonly id: string }) {
  const data = useData(`endpoint ${id}`, (signal) => owner.endpoint(id, signal), LIVE * 4);
  return (
    <Loaded data={data} title={t().endpoint}>
      {(read) => <Shown read={read} reload={data.reload} />}
    </Loaded>
  );
}

type Open = 'edit' | 'test' | 'rotate' | 'disable' | 'delete' | 'recover' | 'backfill';

interface ShownOptions {
  readonly read: TaggedEndpoint;
  readonly reload: () => void;
}

function Shown({ read, reload }: ShownOptions) {
  const { endpoint } = read;
  const { id, state } = endpoint;
  const stats = useData(`stats ${id}`, (signal) => owner.stats(id, DAYS, signal), LIVE * 4);
  const [open, setOpen] = useState<Open>();
  const [saved, setSaved] = useState<readonly string[]>();
  const start = (what: Open) => {
    setSaved(undefined);
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
  const enable = useAction(async () => {
    await owner.enable(id);
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
          <Badge state={state} />
          <Address endpoint={endpoint} />
        </>
      }
      crumbs={[[t().endpoints, linkTo('/endpoints')]]}
      actions={
        <>
          {can('test') && <Button onClick={() => setOpen('test')}>{t().test}</Button>}
          {can('write') && <Button onClick={() => start('edit')}>{t().edit}</Button>}
          {can('write') &&
            (endpoint.enabled ? (
              <Button onClick={() => setOpen('disable')}>{t().disable}</Button>
            ) : (
              <Button kind="primary" onClick={enable.run} isBusy={enable.isBusy}>
                {t().enable}
              </Button>
            ))}
        </>
      }
    >
      <ErrorNote error={enable.error ?? challenge.error} />
      <div role="status">
        {saved !== undefined && (
          <Note tone={saved.length === 0 ? 'off' : 'good'}>
            {saved.length === 0 ? t().form.nothingToSave : t().form.saved(saved.join(', '))}
          </Note>
        )}
      </div>
      <HealthNotice
        endpoint={endpoint}
        changes={changes.data.value?.items}
        failingMessages={stats.value?.failingMessages}
        failure={recent.failures[0]}
        onBulk={can('retry') ? setOpen : undefined}
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
          <LastFailures items={recent.items} source={ownerDeliveries} />
          <History id={id} stats={stats} />
          <Recent id={id} recent={recent} source={ownerDeliveries} />
          <Changes pages={changes} />
        </div>
        <div>
          <Section title={t().settings}>
            <Settings endpoint={endpoint} />
          </Section>
          {(can('retry') || can('secrets') || can('write')) && (
            <Section title={t().actions}>
              <div class="stack">
                {can('retry') && (
                  <>
                    <Button onClick={() => setOpen('recover')}>{t().recover}</Button>
                    <Button onClick={() => setOpen('backfill')}>{t().backfill}</Button>
                  </>
                )}
                {can('secrets') && <Button onClick={() => setOpen('rotate')}>{t().rotate}</Button>}
                {can('write') && (
                  <Button kind="danger" onClick={() => setOpen('delete')}>
                    {t().remove}
                  </Button>
                )}
              </div>
            </Section>
          )}
        </div>
      </div>
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
      {open === 'disable' && <DisableDialog id={id} onClose={close} />}
      {open === 'rotate' && <RotateDialog id={id} onClose={close} />}
      {open === 'delete' && <DeleteDialog id={id} onClose={() => setOpen(undefined)} />}
      {(open === 'recover' || open === 'backfill') && (
        <BulkDialog kind={open} step={(kind, body) => owner.bulk(id, kind, body)} onClose={close} />
      )}
    </Screen>
  );
}

/** The characters of a description that are a name. */
const LONGEST_NAME = 80;

/** The name of an endpoint: the first line of its description, else its host. */
export function nameOf({ description, url }: Endpoint): string {
  const [line = ''] = (description ?? '').trim().split('\n', 1);
  if (line === '') return new URL(url).host;
  return line.length > LONGEST_NAME ? `${line.slice(0, LONGEST_NAME)}…` : line;
}

/** The host and path of an endpoint and its id, each to be copied, and a description that is longer than a name. */
export function Address({ endpoint }: { readonly endpoint: Endpoint }) {
  const { id, url, description } = endpoint;
  const texts = t().endpointTexts;
  return (
    <>
      <span class="address">
        <bdi class="break">{url.replace(/^https:\/\//, '')}</bdi>
        <Copyable text={url} label={texts.copyUrl} />
      </span>
      <span class="address">
        <span class="mono break">{id}</span>
        <Copyable text={id} label={texts.copyId} />
      </span>
      {description !== null && nameOf(endpoint) !== description.trim() && (
        <p class="break" dir="auto">
          {description}
        </p>
      )}
    </>
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

function History({ id, stats }: { readonly id: string; readonly stats: Data<Stats> }) {
  const pick = ([from, to]: Span) => go('/deliveries', { endpoint: id, time: 'range', from, to });
  return (
    <Section title={t().lastDays(DAYS)}>
      <Loaded data={stats}>
        {(value) =>
          value.total.attempts === 0 ? (
            <Empty title={t().noFigures} />
          ) : (
            <DayActivity {...value} onPick={pick} />
          )
        }
      </Loaded>
    </Section>
  );
}

interface RecentDeliveries {
  readonly data: Data<DeliveryPage>;
  readonly items: readonly Delivery[];
  readonly failures: readonly Delivery[];
  /** Reads a longer list; undefined when it is as long as it gets. */
  readonly readMore: (() => void) | undefined;
}

/** The newest deliveries of an endpoint. */
export function useRecent(id: string, source: DeliverySource): RecentDeliveries {
  const [most, setMost] = useState(10);
  const data = useData(
    `recent ${id} ${most}`,
    (signal) => source.list({ subscriber: id, limit: String(most) }, signal),
    LIVE,
  );
  const items = data.value?.items ?? [];
  return {
    ...{ data, items, failures: failuresAmong(items) },
    readMore: most < 100 ? () => setMost(100) : undefined,
  };
}

interface RecentOptions {
  readonly id: string;
  readonly recent: RecentDeliveries;
  readonly source: DeliverySource;
}

export function Recent({ id, recent: { data, readMore }, source }: RecentOptions) {
  return (
    <Section
      title={t().recentDeliveries}
      actions={
        <a href={linkTo(`${source.base}/deliveries`, { endpoint: id })}>{t().allDeliveries}</a>
      }
    >
      <Loaded data={data}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title={t().noDeliveries} hint={t().noDeliveriesHint} />
          ) : (
            <>
              <DeliveryTable rows={items} hasEndpoints={false} base={source.base} />
              {next !== null && readMore && (
                <div class="table-end">
                  <Button onClick={readMore}>{t().more}</Button>
                </div>
              )}
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

/** Fields that have a place of their own: the head of the screen, or a list. */
const SHOWN_ELSEWHERE = new Set<string>(['url', 'description', 'events', 'exclude', 'filter']);

export function Settings({ endpoint }: { readonly endpoint: Endpoint }) {
  const { events, exclude, filter, contentType, format } = endpoint;
  const { rotationEndsAt, createdAt, key } = endpoint;
  return (
    <dl class="facts">
      <div>
        <dt>{t().events}</dt>
        <dd>
          <Patterns patterns={events} />
        </dd>
      </div>
      {exclude.length > 0 && (
        <div>
          <dt>{t().exclude}</dt>
          <dd>
            <Patterns patterns={exclude} />
          </dd>
        </div>
      )}
      {FORM_FIELD_LIST.filter(([name]) => !SHOWN_ELSEWHERE.has(name)).map(
        ([name, { label, text }]) =>
          text(endpoint) !== '' && (
            <div key={name}>
              <dt>{label()}</dt>
              <dd dir="auto">{text(endpoint)}</dd>
            </div>
          ),
      )}
      {rotationEndsAt !== null && Date.parse(rotationEndsAt) > now() && (
        <div>
          <dt>{t().form.oldSecret}</dt>
          <dd>
            <Countdown until={rotationEndsAt} />
          </dd>
        </div>
      )}
      {format !== 'standard' && (
        <div>
          <dt>{t().format}</dt>
          <dd>{format}</dd>
        </div>
      )}
      {contentType !== 'application/json' && (
        <div>
          <dt>{t().contentType}</dt>
          <dd>{contentType}</dd>
        </div>
      )}
      <div>
        <dt>{t().created}</dt>
        <dd>{dateTime(createdAt)}</dd>
      </div>
      {key !== null && (
        <div>
          <dt>{t().form.key}</dt>
          <dd>
            <bdi class="break">{key}</bdi>
          </dd>
        </div>
      )}
      {filter !== null && (
        <div>
          <dt class="off-screen">{t().filter}</dt>
          <dd>
            <Content label={t().filter} text={JSON.stringify(filter)} />
          </dd>
        </div>
      )}
    </dl>
  );
}
