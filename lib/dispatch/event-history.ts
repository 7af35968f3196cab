import { Injectable } from '@nestjs/common';
import { Clock } from '../common/time.js';
import { InvalidInputError, ThornConfigurationError } from '../errors/index.js';
import { EventCatalogue } from '../event/catalogue.js';
import {
  checkPageLimit,
  checkPattern,
  checkScope,
  type OwnerScope,
  patternMatches,
} from '../subscriber/index.js';
import {
  CursorExpiredError,
  formatHistoryCursor,
  type HistoryCursor,
  parseHistoryCursor,
} from './history-cursor.js';
import type { EventStore, StoredEvent } from './strategies/stored-events.js';
import { DispatchStrategy } from './strategies/dispatch-strategy.js';

/** The part of the history that is read. */
export interface HistoryQuery {
  /** The name of an event, or a pattern such as `article.*`. Default: every event. */
  readonly event?: string;
  /** The `next` of an earlier page; `now` for messages from now on. Default: from the oldest message that is kept. */
  readonly after?: string | null;
  /** Messages of a page at most: 1 to 250. Default 50. */
  readonly limit?: number;
}

/** A message of the history. */
export interface HistoryEvent {
  readonly id: string;
  /** The name of the event. */
  readonly event: string;
  /** When it was sent, in milliseconds since the Unix epoch. */
  readonly time: number;
  readonly owner: string | null;
  /** The body of the webhooks of the message, parsed from its JSON. */
  readonly body: unknown;
}

/** A page of the history. */
export interface HistoryPage {
  /** In the order of commits; the messages of transactions that overlapped may follow each other either way. */
  readonly items: readonly HistoryEvent[];
  /** Pass this as `after` to read on, at once or later. */
  readonly next: string;
  /** True when more can be read at once, also where this page has few items or none. */
  readonly hasMore: boolean;
}

export const MAX_HISTORY_LIMIT = 250;
export const DEFAULT_HISTORY_LIMIT = 50;

/** Messages that one step reads without their bodies, and the steps of a page. */
const STEP = 500;
const MOST_STEPS = 10;
/** Milliseconds after which a page takes no further step: SQLite answers on the event loop. */
const STEP_TIME = 25;
/** Bodies that are read at once, and bytes after which a page ends. */
const BODIES_AT_ONCE = 25;
const MOST_BYTES = 4 * 1024 * 1024;
/** Milliseconds that a reader has at least to go on from the oldest messages. */
const LEAD = 3_600_000;

/** The messages of events that may be subscribed to, for readers that cannot be called. */
@Injectable()
export class EventHistory {
  constructor(
    private readonly strategy: DispatchStrategy,
    private readonly catalogue: EventCatalogue,
    private readonly clock: Clock,
  ) {}

  /** True when the application keeps a history. */
  get isKept(): boolean {
    return this.strategy.eventStore?.() !== undefined;
  }

  /** Reads a page; see `WebhookDispatcher.history()`. */
  async page(query: HistoryQuery, scope: OwnerScope): Promise<HistoryPage> {
    checkScope(scope);
    const { event, after = null, limit = DEFAULT_HISTORY_LIMIT } = query;
    this.#checkEvent(event);
    checkPageLimit(limit, MAX_HISTORY_LIMIT);
    const store = this.strategy.eventStore?.();
    if (store === undefined) {
      throw new ThornConfigurationError(
        'THORN_HISTORY_MISSING',
        'The application keeps no history of events. Set dispatch: outbox({ history: true }), in every process that sends.',
      );
    }
    const now = this.clock.now();
    if (after === 'now') {
      const next = formatHistoryCursor({ ...(await store.end()), time: now }, scope);
      return { items: [], next, hasMore: false };
    }
    const start = after === null ? null : parseHistoryCursor(after, scope);
    // Of the oldest messages a reader would miss some before its second page.
    const oldest = now - store.keptFor + Math.min(LEAD, store.keptFor / 10);
    if (start !== null && start.time < now - store.keptFor) throw new CursorExpiredError();
    const isSeen = (one: StoredEvent) =>
      !one.isExpunged &&
      (start !== null || one.time >= oldest) &&
      (event === undefined || patternMatches(event, one.event)) &&
      isVisible(one, scope) &&
      this.catalogue.offers(one.event);
    const { found, end, isLast } = await scan(store, start, limit, isSeen);
    const { items, last } = await withBodies(store, found);
    const isWhole = isLast && last === null;
    const reached = last ?? end;
    const time = isWhole ? now : Math.max(reached.time, start?.time ?? Math.ceil(oldest));
    return {
      items,
      next: formatHistoryCursor({ ...reached, time }, scope),
      hasMore: !isWhole,
    };
  }

  #checkEvent(event: unknown): void {
    if (event === undefined) return;
    checkPattern(event, 'event');
    if (this.catalogue.names().length === 0 || this.catalogue.isMatchedBy(event)) return;
    throw new InvalidInputError('event', 'must match an event that is declared', {
      reason: 'unknown-event',
      pattern: event,
    });
  }
}

/** Subscribers without an owner belong to the application, and see the messages of all owners. */
function isVisible({ audience, owner }: StoredEvent, scope: OwnerScope): boolean {
  return (
    scope === 'any' || scope.owner === null || audience === 'everyone' || owner === scope.owner
  );
}

interface Scan {
  readonly found: readonly StoredEvent[];
  readonly end: HistoryCursor;
  readonly isLast: boolean;
}

/** Looks at messages step by step, until there are enough, or it has looked at enough. */
async function scan(
  store: EventStore,
  start: HistoryCursor | null,
  limit: number,
  isSeen: (one: StoredEvent) => boolean,
): Promise<Scan> {
  const until = performance.now() + STEP_TIME;
  const found: StoredEvent[] = [];
  let after: HistoryCursor | null = start;
  for (let step = 1; ; step++) {
    const { events, end, isLast } = await store.read(after, STEP);
    for (const [at, one] of events.entries()) {
      if (isSeen(one)) found.push(one);
      const isEnd = isLast && at === events.length - 1;
      if (found.length === limit && !isEnd) return { found, end: one, isLast: false };
    }
    after = { ...end, time: events.at(-1)?.time ?? 0 };
    if (isLast) return { found, end: after, isLast };
    if (step === MOST_STEPS || performance.now() > until) return { found, end: after, isLast };
  }
}

/** Reads bodies, up to a number of bytes. @returns the last item, when the others were left for the next page */
async function withBodies(
  store: EventStore,
  found: readonly StoredEvent[],
): Promise<{ readonly items: readonly HistoryEvent[]; readonly last: StoredEvent | null }> {
  const items: HistoryEvent[] = [];
  let bytes = 0;
  for (let at = 0; at < found.length; at += BODIES_AT_ONCE) {
    const part = found.slice(at, at + BODIES_AT_ONCE);
    const bodies = await store.bodies(part.map(({ id }) => id));
    for (const [index, one] of part.entries()) {
      const json = bodies.get(one.id);
      if (json === undefined) continue;
      const { id, event, time, owner } = one;
      items.push({ id, event, time, owner, body: JSON.parse(json.toString()) as unknown });
      bytes += json.length;
      if (bytes > MOST_BYTES && at + index + 1 < found.length) return { items, last: one };
    }
  }
  return { items, last: null };
}
