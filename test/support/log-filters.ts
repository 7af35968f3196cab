import type { Deliveries } from '../../lib/outbox/index.js';
import {
  LOG_END,
  SEEDED_SUBJECTS,
  OWNER_SIZES,
  seededKey,
  seededSubscriber,
  SKEWED_SUBSCRIBERS,
} from './seed-log.js';

type Query = Parameters<Deliveries['list']>[0];
type Scope = Parameters<Deliveries['list']>[1];

/** A list of deliveries that the page may ask for. */
export interface AskedList {
  readonly name: string;
  readonly query: Query;
  readonly scope: Scope;
}

const STATUSES = [undefined, 'pending', 'succeeded', 'failed'] as const;
const MINUTE = 60_000;
const WEEK = 10_080 * MINUTE;

/** Every combination of the filters of the page, in a log of so many deliveries of the skewed mix. */
export function askedLists(rows: number): readonly AskedList[] {
  const half = LOG_END - (rows / 2) * MINUTE;
  const ranges: Readonly<Record<string, Query>> = {
    '': {},
    ' of the last hour': { since: LOG_END - 60 * MINUTE },
    ' of a week': { since: half - WEEK, until: half },
    ' of the older half': { until: half },
  };
  const pages: Readonly<Record<string, Query>> = {
    '': {},
    ', further on': { after: `dlv_${seededKey(Math.floor(rows / 3))}` },
  };
  const selections = combined(
    STATUSES.map((status) => [status ?? 'all', ofStatus(status)] as const),
    ['', ...Object.values(SEEDED_SUBJECTS), 'nowhere'].map(
      (subject) => [subject && ` about ${subject}`, subject === '' ? {} : { subject }] as const,
    ),
    ['', 'order.paid', 'stock.low', 'none.*', '*.created'].map(
      (event) => [event && ` ${event}`, event === '' ? {} : { event }] as const,
    ),
    Object.entries(ranges),
    Object.entries(pages),
  );
  const whose: readonly (readonly [string, Query, Scope])[] = [
    ['all', {}, 'any'],
    ...Object.keys(OWNER_SIZES).map((owner) => [`owner ${owner}`, {}, { owner }] as const),
    ...Object.entries(SKEWED_SUBSCRIBERS).map(
      ([name, n]) => [name, { subscriberId: seededSubscriber(n) }, 'any'] as const,
    ),
  ];
  return [
    ...whose.flatMap(([owner, own, scope]) =>
      selections.map(([name, query]) => ({
        name: `${name} of ${owner}`,
        query: { ...query, ...own, limit: 50 },
        scope,
      })),
    ),
    // One message has one delivery here, and one delivery is found by its key: the rest of the filters has no say.
    ...whose.flatMap(([owner, own, scope]) =>
      [10, 13].flatMap((age) =>
        STATUSES.flatMap((status) => [
          {
            name: `message of ${owner}`,
            query: { ...own, ...ofStatus(status), messageId: `msg_${seededKey(age)}` },
            scope,
          },
          {
            name: `delivery of ${owner}`,
            query: { ...own, ...ofStatus(status), deliveryId: `dlv_${seededKey(age)}` },
            scope,
          },
        ]),
      ),
    ),
  ];
}

type Part = readonly (readonly [name: string, query: Query])[];

function combined(...parts: readonly Part[]): Part {
  return parts.reduce((all, part) =>
    all.flatMap(([name, query]) =>
      part.map(([more, added]) => [name + more, { ...query, ...added }] as const),
    ),
  );
}

function ofStatus(status: (typeof STATUSES)[number]): Query {
  return status === undefined ? {} : { status };
}
