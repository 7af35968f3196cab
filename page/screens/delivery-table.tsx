import type { Delivery } from '../core/model.js';
import { linkTo } from '../core/router.js';
import { dateTime, number, t } from '../text/index.js';
import { Badge, StatusCode, Time } from '../ui/basics.js';
import { type Column, Table } from '../ui/table.js';

/** The selected rows. */
interface Selection {
  readonly chosen: ReadonlySet<string>;
  readonly toggle: (id: string) => void;
}

interface Options {
  readonly rows: readonly Delivery[];
  /** False when all deliveries belong to one endpoint. */
  readonly hasEndpoints?: boolean;
  readonly base?: string;
  readonly selection?: Selection;
}

/** The state of a delivery, and its place in the order of its key. */
export function Status({ delivery }: { readonly delivery: Delivery }) {
  const { status, blocked, holding } = delivery;
  return (
    <>
      <Badge state={status} />
      {(blocked || holding) && <small>{blocked ? t().order.blocked : t().order.holding}</small>}
    </>
  );
}

export function DeliveryTable({ rows, hasEndpoints = true, base = '', selection }: Options) {
  const choice: readonly Column<Delivery>[] =
    selection === undefined
      ? []
      : [
          {
            title: t().lists.select,
            kind: 'narrow',
            cell: ({ id, event, createdAt }) => (
              <input
                type="checkbox"
                aria-label={`${t().lists.select}: ${event}, ${dateTime(createdAt)}`}
                checked={selection.chosen.has(id)}
                onChange={() => selection.toggle(id)}
              />
            ),
          },
        ];
  const endpoint: readonly Column<Delivery>[] = hasEndpoints
    ? [
        {
          title: t().endpoint,
          kind: 'wide',
          cell: (one) => <bdi class="break">{one.url ?? one.subscriberId}</bdi>,
        },
      ]
    : [];
  return (
    <Table
      caption={t().deliveries}
      rows={rows}
      keyOf={(one) => one.id}
      columns={[
        ...choice,
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
