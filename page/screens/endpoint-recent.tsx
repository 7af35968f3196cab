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

/** The failed deliveries among which the kinds of failures are looked for. */
const FAILED = '50';

interface RecentDeliveries {
  readonly data: Data<DeliveryPage>;
  readonly items: readonly Delivery[];
  /** The latest attempt first. Other deliveries may have succeeded since. */
  readonly failures: readonly Delivery[];
  /** Reads a longer list; undefined when it is as long as it gets. */
  readonly readMore: (() => void) | undefined;
}

/** The newest deliveries of an endpoint, and the newest that failed. */
export function useRecent(id: string, source: DeliverySource): RecentDeliveries {
  const [most, setMost] = useState(10);
  const data = useData(
    `recent ${id}`,
    async (signal) => {
      const [newest, failed] = await Promise.all([
        source.list({ subscriber: id, limit: String(most) }, signal),
        source.list({ subscriber: id, status: 'failed', limit: FAILED }, signal),
      ]);
      return { ...newest, failed: failed.items };
    },
    LIVE,
    most,
  );
  const { items, failed } = data.value ?? { items: [], failed: [] };
  const others = failed.filter((one) => !items.some((other) => other.id === one.id));
  return {
    ...{ data, items, failures: failuresAmong([...items, ...others]) },
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
      <Loaded data={data} as="rows">
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
