import type { Delivery } from '../core/model.js';
import { linkTo } from '../core/router.js';
import { number, t } from '../text/index.js';
import { Badge, StatusCode, Time } from '../ui/basics.js';
import { type Column, Table } from '../ui/table.js';

interface Options {
  readonly rows: readonly Delivery[];
  /** Names an endpoint by its id; without it there is no such column. */
  readonly endpointName?: (id: string) => string;
  readonly base?: string;
}

/** The state of a delivery, and what it has to do with the order of its key. */
export function Status({ delivery }: { readonly delivery: Delivery }) {
  const { status, blocked, holding } = delivery;
  return (
    <>
      <Badge state={status} />
      {(blocked || holding) && <small>{blocked ? t().order.blocked : t().order.holding}</small>}
    </>
  );
}

export function DeliveryTable({ rows, endpointName, base = '' }: Options) {
  const endpoint: readonly Column<Delivery>[] =
    endpointName === undefined
      ? []
      : [
          {
            title: t().endpoint,
            kind: 'wide',
            cell: (one) => <bdi class="break">{endpointName(one.subscriberId)}</bdi>,
          },
        ];
  return (
    <Table
      caption={t().deliveries}
      rows={rows}
      keyOf={(one) => one.id}
      columns={[
        { title: t().status, cell: (one) => <Status delivery={one} /> },
        {
          title: t().event,
          kind: 'wide',
          cell: (one) => <a href={linkTo(`${base}/deliveries/${one.id}`)}>{one.event}</a>,
        },
        ...endpoint,
        {
          title: t().answer,
          kind: 'number',
          cell: (one) => <StatusCode status={one.latestStatus} />,
        },
        { title: t().attempts, kind: 'number', cell: (one) => number(one.attemptCount) },
        { title: t().created, cell: (one) => <Time at={one.createdAt} /> },
      ]}
    />
  );
}
