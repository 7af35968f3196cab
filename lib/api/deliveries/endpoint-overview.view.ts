import type { EndpointOverview } from '../../outbox/index.js';
import { all, count, list, nullable, type Schema } from '../../common/json-schema.js';
import { LAST_DAY, type LastDayView, lastDayView } from '../subscribers/last-day.view.js';
import { SUBSCRIBER, type SubscriberView } from '../subscribers/subscriber.view.js';
import type { ShownSubscriber } from '../subscribers/subscriber-views.js';
import { ATTEMPT_HISTORY, attemptHistoryView } from './delivery-reports.view.js';

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
  readonly items: readonly (SubscriberView & { readonly lastDay: LastDayView })[];
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
      return { ...view, lastDay: lastDay && lastDayView(lastDay, figures!.countedSince) };
    }),
    figures: figures && attemptHistoryView(figures),
  };
}
