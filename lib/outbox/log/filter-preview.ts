import type { Subscriber } from '../../subscriber/index.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { withMessageId } from '../tables/keys.js';
import { selectNewestMessages } from '../tables/messages.js';
import { filterByCondition, isFor } from '../retry/replay.js';

/** A subscriber that may not exist: its owner, its patterns and its filter. */
export type FilterPreviewQuery = Pick<Subscriber, 'owner' | 'events' | 'exclude' | 'filter'>;

/** A message, and whether the filter lets it through. */
export interface PreviewedMessage {
  readonly messageId: string;
  readonly event: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly passes: boolean;
}

const MOST_MESSAGES = 50;
/** Messages that are looked at, those of other owners and other events included. */
const MOST_LOOKED_AT = 5000;

/** Judges the latest messages that a subscriber could receive, newest first. */
export async function previewFilter(
  store: OutboxStore,
  query: FilterPreviewQuery,
): Promise<readonly PreviewedMessage[]> {
  const newest = selectNewestMessages(store, query.owner, MOST_LOOKED_AT);
  const rows = (await store.database.run(newest)).rows
    .map(withMessageId)
    .filter((row) => isFor(row, query))
    .slice(0, MOST_MESSAGES);
  const { wanted } = await filterByCondition(store, rows, { ...query, changed: null });
  const passing = new Set(wanted);
  return rows.map((row) => ({
    messageId: row.id,
    event: row.event,
    time: Number(row.time),
    passes: passing.has(row),
  }));
}
