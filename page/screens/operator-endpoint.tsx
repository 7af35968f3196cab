import { useState } from 'preact/hooks';
import { operatorDeliveries } from '../core/deliveries.js';
import type { Endpoint } from '../core/model.js';
import { operator } from '../core/operator.js';
import { go, linkTo } from '../core/router.js';
import { LIVE, useAction, useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, ErrorNote } from '../ui/basics.js';
import { Loaded, Screen, Section } from '../ui/screen.js';
import { type BulkKind, BulkDialog } from './bulk-dialog.js';
import { Recent, Settings } from './endpoint.js';
import { StateNow } from './endpoints.js';
import { Throughput } from './operator-throughput.js';

/** An endpoint of any owner, as operators see it. Its owner has another screen. */
export function OperatorEndpoint({ id }: { readonly id: string }) {
  const data = useData(`any endpoint ${id}`, (signal) => operator.endpoint(id, signal), LIVE * 4);
  return (
    <Loaded data={data} title={t().endpoint}>
      {(endpoint) => <Shown endpoint={endpoint} reload={data.reload} />}
    </Loaded>
  );
}

function Shown({ endpoint, reload }: { readonly endpoint: Endpoint; readonly reload: () => void }) {
  const { id, owner, enabled } = endpoint;
  const [open, setOpen] = useState<BulkKind>();
  const { host } = new URL(endpoint.url);
  const turn = useAction(async () => {
    await operator.turn(id, enabled ? 'disable' : 'enable');
    reload();
  });
  const pause = useAction(async () => {
    await operator.pause(host);
    go('/operator');
  });
  return (
    <Screen
      title={endpoint.url}
      lead={
        <>
          <StateNow endpoint={endpoint} />
          {endpoint.description !== null && <span dir="auto">{endpoint.description}</span>}
        </>
      }
      crumbs={[[t().endpoints, linkTo('/operator/endpoints')]]}
      actions={
        <>
          <Button onClick={pause.run} isBusy={pause.isBusy}>
            {t().operators.pauseThis(host)}
          </Button>
          <Button onClick={turn.run} isBusy={turn.isBusy}>
            {enabled ? t().disable : t().enable}
          </Button>
        </>
      }
    >
      <ErrorNote error={turn.error ?? pause.error} />
      <div class="columns">
        <div>
          <Throughput query={{ subscriber: id }} />
          <Recent id={id} source={operatorDeliveries} />
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
          <Section title={t().actions}>
            <div class="stack">
              <Button onClick={() => setOpen('recover')}>{t().recover}</Button>
              <Button onClick={() => setOpen('backfill')}>{t().backfill}</Button>
            </div>
          </Section>
        </div>
      </div>
      {open !== undefined && (
        <BulkDialog
          kind={open}
          step={(kind, body) => operator.bulk(id, kind, body)}
          onClose={() => {
            setOpen(undefined);
            reload();
          }}
        />
      )}
    </Screen>
  );
}
