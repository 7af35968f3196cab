import type { Delivery } from '../core/model.js';
import { linkTo } from '../core/router.js';
import { dateTime, number, t } from '../text/index.js';
import { StatusCode, Time } from '../ui/basics.js';
import { EndpointName } from '../ui/endpoint-name.js';
import { Breakable } from '../ui/breakable.js';
import { type Column, Table } from '../ui/table.js';
import { Status } from './delivery-status.js';
import { Subject, titleOf } from './subject.js';

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
  /** True when `rows` are all there are, so that they can be sorted. */
  readonly isWhole?: boolean;
}

export function DeliveryTable({
  rows,
  hasEndpoints = true,
  base = '',
  selection,
  isWhole = false,
}: Options) {
  const choice: readonly Column<Delivery>[] =
    selection === undefined
      ? []
      : [
          {
            title: t().lists.select,
            kind: 'narrow',
            cell: (one) => (
              <input
                type="checkbox"
                aria-label={`${t().lists.select}: ${titleOf(one)}, ${dateTime(one.createdAt)}`}
                checked={selection.chosen.has(one.id)}
                onChange={() => selection.toggle(one.id)}
              />
            ),
          },
        ];
  const endpoint: readonly Column<Delivery>[] = hasEndpoints
    ? [
        {
          title: t().endpoint,
          kind: 'name',
          cell: ({ url, description, subscriberId }) => (
            <EndpointName url={url} description={description} id={subscriberId} />
          ),
          sort: ({ url, description, subscriberId }) => description ?? url ?? subscriberId,
        },
      ]
    : [];
  return (
    <Table
      caption={t().deliveries}
      as="delivery"
      rows={rows}
      isWhole={isWhole}
      keyOf={(one) => one.id}
      columns={[
        ...choice,
        {
          title: t().event,
          kind: 'wide',
          cell: (one) => (
            <>
              <a href={linkTo(`${base}/deliveries/${one.id}`)}>
                <Breakable text={one.event} />
              </a>
              <Subject {...one} />
            </>
          ),
          sort: ({ event }) => event,
        },
        ...endpoint,
        {
          title: t().status,
          cell: (one) => <Status delivery={one} />,
          sort: ({ status }) => status,
        },
        {
          title: t().answer,
          kind: 'number',
          cell: (one) => <StatusCode status={one.latestStatus} />,
          sort: ({ latestStatus }) => latestStatus ?? 0,
        },
        {
          title: t().attempts,
          kind: 'number',
          cell: (one) => number(one.attemptCount),
          sort: ({ attemptCount }) => attemptCount,
        },
        {
          title: t().created,
          cell: (one) => <Time at={one.createdAt} />,
          sort: ({ createdAt }) => createdAt,
        },
      ]}
    />
  );
}
