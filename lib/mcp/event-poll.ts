import { isObject } from '../common/objects.js';
import { CursorExpiredError, type EventHistory, MAX_HISTORY_LIMIT } from '../dispatch/index.js';
import { InvalidInputError } from '../errors/index.js';
import { filterHolds, patternMatches } from '../subscriber/index.js';
import { invalidParams } from './mcp-events.error.js';
import type { EventSelection, OfferedEvent } from './offered-event.js';
import { type Params, readCursor, readWhole } from './subscription-params.js';

/** The number of messages that one poll looks at, unless the client asks for fewer. */
const LIMIT = 50;
/** Milliseconds after which a client that has read everything may poll again. */
const INTERVAL = 5000;

/**
 * Answers `events/poll`: what an owner may see of an event behind a cursor.
 *
 * @throws {@link McpEventsError} for a cursor that is not of this owner
 */
export async function poll(
  history: EventHistory,
  params: Params,
  event: OfferedEvent,
  { events, exclude, filter }: EventSelection,
  { owner, now }: { readonly owner: string; readonly now: number },
): Promise<Readonly<Record<string, unknown>>> {
  const limit = Math.min(Math.max(readWhole(params, 'maxEvents') ?? LIMIT, 1), MAX_HISTORY_LIMIT);
  const oldest = now - (readWhole(params, 'maxAgeMs') ?? Infinity);
  const after = readCursor(params) ?? 'now';
  const readAfter = (cursor: string | null) =>
    history.page({ event: event.pattern, after: cursor, limit }, { owner });
  let isCut = false;
  const { items, next, hasMore } = await readAfter(after).catch((error: unknown) => {
    if (error instanceof InvalidInputError)
      throw invalidParams(['cursor'], 'must be one of a poll');
    if (!(error instanceof CursorExpiredError)) throw error;
    isCut = true;
    return readAfter(null);
  });
  const isAsked = (name: string) =>
    events.some((one) => patternMatches(one, name)) &&
    !exclude.some((one) => patternMatches(one, name));
  const found = items.flatMap(({ id, event: sent, time, body }) => {
    const { data } = body as { readonly data: unknown };
    if (!isAsked(sent) || !isObject(data) || !filterHolds(filter, data)) return [];
    if (time < oldest) isCut = true;
    const timestamp = new Date(time).toISOString();
    return time < oldest ? [] : [{ eventId: id, name: event.name, timestamp, data }];
  });
  const nextPollMs = hasMore ? 0 : INTERVAL;
  return { events: found, cursor: next, truncated: isCut, hasMore, nextPollMs };
}
