import type { DeliverySource } from '../core/deliveries.js';
import type { Delivery } from '../core/model.js';
import { linkTo } from '../core/router.js';
import { usePages } from '../core/use-pages.js';
import { dateHour, t } from '../text/index.js';
import { Button, Empty } from '../ui/basics.js';
import { More } from '../ui/more.js';
import { Loaded, Section } from '../ui/screen.js';
import { DeliveryTable } from './delivery-table.js';

const STEP = 10;

/** A time that the user has picked in a chart. */
export interface PickedTime {
  readonly from: string;
  readonly to: string;
}

interface Options {
  readonly time: PickedTime;
  readonly source: DeliverySource;
  /** Undefined: of all endpoints. */
  readonly endpoint?: string;
  readonly onClear: () => void;
}

/** The deliveries that were created in a time that the user has picked in a chart. */
export function PickedDeliveries({ time: { from, to }, source, endpoint, onClear }: Options) {
  const pages = usePages<Delivery>(`picked ${endpoint ?? ''} ${from} ${to}`, {
    read: (after, signal) =>
      source.list(
        {
          ...{ subscriber: endpoint, since: from, until: to },
          ...{ limit: String(STEP), after },
        },
        signal,
      ),
    step: STEP,
  });
  return (
    <Section
      title={t().figures.picked(dateHour(from), dateHour(to))}
      actions={
        <>
          <a href={linkTo(`${source.base}/deliveries`, { endpoint, time: 'range', from, to })}>
            {t().figures.openList}
          </a>
          <Button onClick={onClear}>{t().close}</Button>
        </>
      }
    >
      <Loaded data={pages.data} as="rows">
        {({ items }) => (
          <>
            {items.length === 0 ? (
              <Empty title={t().noMatch} />
            ) : (
              <DeliveryTable
                rows={items}
                hasEndpoints={endpoint === undefined}
                base={source.base}
              />
            )}
            <More pages={pages} />
          </>
        )}
      </Loaded>
    </Section>
  );
}
