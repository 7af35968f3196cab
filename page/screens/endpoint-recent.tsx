import { useState } from 'preact/hooks';
import type { DeliverySource } from '../core/deliveries.js';
import type { Delivery, DeliveryPage } from '../core/model.js';
import { linkTo } from '../core/router.js';
import { type Data, LIVE, useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, Empty } from '../ui/basics.js';
import { Loaded, Section } from '../ui/screen.js';
import { DeliveryTable } from './delivery-table.js';
import { failuresAmong } from './endpoint-failures.js';

/** So many are read that an endpoint which works again still shows why it has failed. */
const READ = 50;
/** Of these, so many are in the table at first. */
const SHOWN = 10;

interface RecentDeliveries {
  readonly data: Data<DeliveryPage>;
  readonly items: readonly Delivery[];
  /** The latest attempt first. */
  readonly failures: readonly Delivery[];
}

/** The newest deliveries of an endpoint. */
export function useRecent(id: string, source: DeliverySource): RecentDeliveries {
  const data = useData(
    `recent ${id}`,
    (signal) => source.list({ subscriber: id, limit: String(READ) }, signal),
    LIVE,
  );
  const items = data.value?.items ?? [];
  return { data, items, failures: failuresAmong(items) };
}

interface RecentOptions {
  readonly id: string;
  readonly recent: RecentDeliveries;
  readonly source: DeliverySource;
}

export function Recent({ id, recent: { data }, source }: RecentOptions) {
  const [most, setMost] = useState(SHOWN);
  return (
    <Section
      title={t().recentDeliveries}
      actions={
        <a href={linkTo(`${source.base}/deliveries`, { endpoint: id })}>{t().allDeliveries}</a>
      }
    >
      <Loaded data={data} as="rows">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t().noDeliveries} hint={t().noDeliveriesHint} />
          ) : (
            <>
              <DeliveryTable rows={items.slice(0, most)} hasEndpoints={false} base={source.base} />
              {items.length > most && (
                <div class="table-end">
                  <Button onClick={() => setMost(READ)}>{t().more}</Button>
                </div>
              )}
            </>
          )
        }
      </Loaded>
    </Section>
  );
}
