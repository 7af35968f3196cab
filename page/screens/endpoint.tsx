import { useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import type { Endpoint, EndpointNow, Stats } from '../core/model.js';
import { linkTo } from '../core/router.js';
import { type DeliverySource, ownerDeliveries } from '../core/deliveries.js';
import { can } from '../core/session.js';
import { owner, type TaggedEndpoint } from '../core/source.js';
import { type Data, LIVE, useAction, useData } from '../core/use-data.js';
import { ago, dateTime, number, t } from '../text/index.js';
import { Badge, Button, Empty, ErrorNote, Note } from '../ui/basics.js';
import { Content } from '../ui/content.js';
import { Countdown } from '../ui/countdown.js';
import { Loaded, Screen, Section } from '../ui/screen.js';
import { DayActivity } from './activity.js';
import { BulkDialog } from './bulk-dialog.js';
import { DeliveryTable } from './delivery-table.js';
import { FORM_FIELD_LIST } from './endpoint-fields.js';
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

type Open = 'edit' | 'rotate' | 'disable' | 'delete' | 'recover' | 'backfill';

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
  const close = () => {
    setOpen(undefined);
    reload();
  };
  const enable = useAction(async () => {
    await owner.enable(id);
    reload();
  });
  const challenge = useAction(async () => {
    await owner.challenge(id);
    reload();
  });
  return (
    <Screen
      title={endpoint.url}
      lead={
        <>
          <Badge state={state} />
          {endpoint.description !== null && <span dir="auto">{endpoint.description}</span>}
        </>
      }
      crumbs={[[t().endpoints, linkTo('/endpoints')]]}
      actions={
        can('write') && (
          <>
            <Button onClick={() => start('edit')}>{t().edit}</Button>
            {endpoint.enabled ? (
              <Button onClick={() => setOpen('disable')}>{t().disable}</Button>
            ) : (
              <Button kind="primary" onClick={enable.run} isBusy={enable.isBusy}>
                {t().enable}
              </Button>
            )}
          </>
        )
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
      {stats.value !== undefined && endpoint.enabled && <Failing {...stats.value} />}
      {state === 'disabled' && (
        <Note tone="off">
          {t().disabledNote} {t().enableHint}
        </Note>
      )}
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
      <div class="columns">
        <div>
          <History stats={stats} />
          <Recent id={id} />
        </div>
        <div>
          <Section title={t().settings}>
            <Settings endpoint={endpoint} />
          </Section>
          {can('test') && (
            <Section title={t().test}>
              <TestPanel id={id} />
            </Section>
          )}
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
      {open === 'disable' && <DisableDialog id={id} onClose={close} />}
      {open === 'rotate' && <RotateDialog id={id} onClose={close} />}
      {open === 'delete' && <DeleteDialog id={id} onClose={() => setOpen(undefined)} />}
      {(open === 'recover' || open === 'backfill') && (
        <BulkDialog kind={open} step={(kind, body) => owner.bulk(id, kind, body)} onClose={close} />
      )}
    </Screen>
  );
}

/** Says since when the endpoint fails, and why nothing is sent to it for now. */
function Failing({ failingSince, failingMessages, pause }: Pick<EndpointNow, FailingField>) {
  const texts = t().health;
  return (
    <>
      {failingSince !== null && (
        <Note tone="bad">
          {texts.failingNote(dateTime(failingSince))}{' '}
          {failingMessages > 0 && texts.messages(number(failingMessages))}
        </Note>
      )}
      {pause !== null && (
        <Note>
          {texts.pause[pause.reason]} {pause.until !== null && texts.until(ago(pause.until))}
        </Note>
      )}
    </>
  );
}

type FailingField = 'failingSince' | 'failingMessages' | 'pause';

function History({ stats }: { readonly stats: Data<Stats> }) {
  return (
    <Section title={t().lastDays(DAYS)}>
      <Loaded data={stats}>
        {(value) =>
          value.total.attempts === 0 ? <Empty title={t().noFigures} /> : <DayActivity {...value} />
        }
      </Loaded>
    </Section>
  );
}

/** The newest deliveries of an endpoint. */
export function Recent({
  id,
  source = ownerDeliveries,
}: {
  readonly id: string;
  readonly source?: DeliverySource;
}) {
  const [most, setMost] = useState(10);
  const deliveries = useData(
    `recent ${id} ${most}`,
    (signal) => source.list({ subscriber: id, limit: String(most) }, signal),
    LIVE,
  );
  return (
    <Section
      title={t().recentDeliveries}
      actions={
        <a href={linkTo(`${source.base}/deliveries`, { endpoint: id })}>{t().allDeliveries}</a>
      }
    >
      <Loaded data={deliveries}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title={t().noDeliveries} hint={t().noDeliveriesHint} />
          ) : (
            <>
              <DeliveryTable rows={items} hasEndpoints={false} base={source.base} />
              {next !== null && most < 100 && (
                <div class="table-end">
                  <Button onClick={() => setMost(100)}>{t().more}</Button>
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
