import type { EndpointOverview } from '../../outbox/index.js';
import {
  all,
  count,
  list,
  nullable,
  type Schema,
  time,
  type ValueOf,
} from '../../common/json-schema.js';
import { SUBSCRIBER, type SubscriberView } from '../subscribers/subscriber.view.js';
import type { ShownSubscriber } from '../subscribers/subscriber-views.js';
import { ATTEMPT_HISTORY, attemptHistoryView } from './delivery-reports.view.js';
import { isoOf } from './delivery.view.js';

const LAST_DAY = nullable({
  ...all({
    attempts: count,
    failed: count,
    failedAt: nullable({ ...time, description: 'The latest attempt that failed' }),
  }),
  description: 'A part of figures; null where the application keeps no delivery log',
});

export const OVERVIEW_ITEM = all({ ...SUBSCRIBER, lastDay: LAST_DAY });

/** @param item the schema of an item, {@link OVERVIEW_ITEM} */
export function endpointOverviewSchema(item: Schema): Schema {
  return all({
    endpoints: { ...count, description: 'All of them' },
    items: {
      ...list(item),
      maxItems: 10,
      description:
        'Those that fail, those with failed attempts, those that get nothing, and others, in this order',
    },
    figures: nullable({
      ...ATTEMPT_HISTORY,
      description:
        'Attempts at all of them in 24 hours; null where the application keeps no delivery log',
    }),
  });
}

export interface EndpointOverviewView {
  readonly endpoints: number;
  readonly items: readonly (SubscriberView & {
    readonly lastDay: ValueOf<typeof LAST_DAY>;
  })[];
  readonly figures: ReturnType<typeof attemptHistoryView> | null;
}

export function endpointOverviewView(
  { endpoints, figures }: Omit<EndpointOverview, 'items'>,
  shown: readonly ShownSubscriber[],
  items: EndpointOverview['items'],
): EndpointOverviewView {
  return {
    endpoints,
    items: shown.map(({ view }, at) => {
      const { lastDay } = items[at]!;
      return { ...view, lastDay: lastDay && { ...lastDay, failedAt: isoOf(lastDay.failedAt) } };
    }),
    figures: figures && attemptHistoryView(figures),
  };
}
