import { useState } from 'preact/hooks';
import { type DeliverySource, MOST_RETRIED } from '../core/deliveries.js';
import type { Delivery } from '../core/model.js';
import { place } from '../core/router.js';
import { can } from '../core/session.js';
import { LIVE, useAction } from '../core/use-data.js';
import { usePages } from '../core/use-pages.js';
import { dateTime, number, t } from '../text/index.js';
import { Button, Empty, ErrorNote, Note } from '../ui/basics.js';
import { ExportButton } from '../ui/export-button.js';
import { More } from '../ui/more.js';
import { Loaded, Screen } from '../ui/screen.js';
import { BulkActions } from './bulk-actions.js';
import { askedFor, clearFilters, DeliveryFilters, isFiltered } from './delivery-filters.js';
import { DeliveryTable } from './delivery-table.js';
import { hasWorked, NONE, plus, type Resent, ResentText, resultOf } from './resent.js';

const STEP = 50;

/** The columns of the file, by the names of the API. */
const COLUMNS: Readonly<Record<string, (one: Delivery) => string | number | null>> = {
  id: ({ id }) => id,
  messageId: ({ messageId }) => messageId,
  event: ({ event }) => event,
  subject: ({ subject }) => subject,
  subscriberId: ({ subscriberId }) => subscriberId,
  description: ({ description }) => description,
  url: ({ url }) => url,
  status: ({ status }) => status,
  reason: ({ reason }) => reason,
  attemptCount: ({ attemptCount }) => attemptCount,
  latestStatus: ({ latestStatus }) => latestStatus,
  nextAt: ({ nextAt }) => nextAt,
  createdAt: ({ createdAt }) => createdAt,
  attemptedAt: ({ attemptedAt }) => attemptedAt,
  finishedAt: ({ finishedAt }) => finishedAt,
};

/** Deliveries, the newest first, with their filters in the address; live while the page is visible. */
export function DeliveriesScreen({ source }: { readonly source: DeliverySource }) {
  const { query } = place.value;
  const asked = askedFor(query);
  const pages = usePages<Delivery>(`deliveries ${source.base} ${JSON.stringify(query)}`, {
    read: (after, signal) => source.list({ ...asked(), limit: String(STEP), after }, signal),
    step: STEP,
    every: LIVE,
  });
  return (
    <Screen
      title={t().deliveries}
      actions={
        <>
          <BulkActions source={source} filters={asked} />
          <ExportButton
            key={JSON.stringify(query)}
            read={(after, signal) => source.list({ ...asked(), limit: '100', after }, signal)}
            name="deliveries"
            columns={COLUMNS}
          />
        </>
      }
    >
      <DeliveryFilters source={source} query={query} />
      <Loaded data={pages.data} as="rows">
        {({ items, next }) => (
          <>
            {items.length > 0 ? (
              <Selectable
                source={source}
                items={items}
                isWhole={next === null}
                reload={pages.restart}
              />
            ) : isFiltered(query) ? (
              <Empty title={t().noMatch} hint={next === null ? hintFor(query) : searchedTo(next)}>
                <Button onClick={clearFilters}>{t().clearFilters}</Button>
              </Empty>
            ) : (
              <Empty title={t().noDeliveries} hint={t().noDeliveriesHint} />
            )}
            <More pages={pages} />
          </>
        )}
      </Loaded>
    </Screen>
  );
}

/** A text such as "order 7" finds nothing where the subject is the 7 alone. */
function hintFor(query: Readonly<Record<string, string>>): string {
  return query['search'] ? t().lists.searchIsExact : t().noMatchHint;
}

/** Cursors are ids of deliveries, which begin with their time. */
function searchedTo(next: string): string {
  const at = Number.parseInt(next.replace(/^dlv_|-/g, '').slice(0, 12), 16);
  return t().lists.searchedTo(dateTime(at));
}

interface SelectableOptions {
  readonly source: DeliverySource;
  readonly items: readonly Delivery[];
  readonly isWhole: boolean;
  readonly reload: () => void;
}

/** Deliveries of which some can be chosen and sent again. */
function Selectable({ source, items, isWhole, reload }: SelectableOptions) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [result, setResult] = useState<Resent>();
  const ids = items.flatMap(({ id }) => (chosen.has(id) ? [id] : []));
  const retry = useAction(async () => {
    setResult(undefined);
    let sum = NONE;
    for (let at = 0; at < ids.length; at += MOST_RETRIED) {
      const { items: some } = await source.retrySelected(ids.slice(at, at + MOST_RETRIED));
      setResult((sum = plus(sum, resultOf(some))));
    }
    setChosen(new Set());
    reload();
  });
  const toggle = (id: string) =>
    setChosen(new Set(chosen.has(id) ? ids.filter((one) => one !== id) : [...ids, id]));
  const isAll = ids.length === items.length;
  const selection = { chosen, toggle };
  return (
    <>
      {can('retry') && (
        <div class="selection">
          <label class="choice">
            <input
              type="checkbox"
              checked={isAll}
              onChange={() => setChosen(new Set(isAll ? [] : items.map(({ id }) => id)))}
            />
            <span>{t().lists.selectAll}</span>
          </label>
          {ids.length > 0 && (
            <Button kind="primary" onClick={retry.run} isBusy={retry.isBusy}>
              {t().lists.retrySelected(number(ids.length))}
            </Button>
          )}
        </div>
      )}
      <div role="status">
        {result !== undefined && (
          <Note tone={hasWorked(result) ? 'good' : 'wait'}>
            <ResentText of={result} />
          </Note>
        )}
      </div>
      <ErrorNote error={retry.error} />
      <DeliveryTable
        rows={items}
        base={source.base}
        isWhole={isWhole}
        {...(can('retry') && { selection })}
      />
    </>
  );
}
