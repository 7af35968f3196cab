import { compileEventName, type EventCatalogue } from '../../event/index.js';
import {
  DEFAULT_HISTORY_LIMIT,
  type HistoryEvent,
  MAX_HISTORY_LIMIT,
} from '../../dispatch/index.js';
import type { MessageFactory } from '../../message/index.js';
import { exampleFrom, subscribableEvents } from '../catalogue/event-type.view.js';
import { OWN_LOG_QUERY } from '../deliveries/log-query.js';
import { type QueryParameters, wholeNumber } from '../http/query.js';
import {
  all,
  flag,
  list,
  type Schema,
  text,
  time,
  type ValueOf,
} from '../../common/json-schema.js';

const { event } = OWN_LOG_QUERY;
const MAX_CURSOR = 200;

export const SAMPLES_QUERY = { event } satisfies QueryParameters;

/** The query for past events. Only the type of the cursor is checked here; the service checks its value. */
export const HISTORY_QUERY = {
  limit: wholeNumber(MAX_HISTORY_LIMIT, DEFAULT_HISTORY_LIMIT),
  after: {
    schema: {
      ...text,
      minLength: 1,
      maxLength: MAX_CURSOR,
      description:
        'The next of an earlier page; now: what is sent from now on. Default: from the oldest message that is kept',
    },
    read: (given: unknown) =>
      typeof given === 'string' && given !== '' && given.length <= MAX_CURSOR ? given : null,
    reason: 'must be the "next" of an earlier page, or "now"',
  },
  event,
} satisfies QueryParameters;

const BODY: Schema = { description: 'The body of a webhook' };
const MESSAGE = {
  id: { ...text, description: 'The webhook-id of its webhooks' },
  event: text,
  timestamp: { ...time, description: 'When it was sent' },
  body: BODY,
};
const VIEW = all(MESSAGE);

export const HISTORY = all({
  items: list(VIEW),
  next: { ...text, description: 'Pass it as after, at once or later' },
  hasMore: {
    ...flag,
    description: 'True: more can be read at once, though there may be few items',
  },
});

export const SAMPLES = all({ items: list(BODY) });

export type HistoryEventView = ValueOf<typeof VIEW>;
export type HistoryView = ValueOf<typeof HISTORY>;
export type SamplesView = ValueOf<typeof SAMPLES>;

export function historyEventView({
  id,
  event: name,
  time: at,
  body,
}: HistoryEvent): HistoryEventView {
  return { id, event: name, timestamp: new Date(at).toISOString(), body };
}

/** The bodies of the events that a pattern matches, made of the events' examples. Events without an example are left out. */
export function samplesView(
  catalogue: EventCatalogue,
  messages: MessageFactory,
  pattern = '*',
): SamplesView {
  const items = subscribableEvents(catalogue)
    .filter(({ name }) => catalogue.isCoveredBy([pattern], name))
    .flatMap((declaration) => {
      const data = exampleFrom(declaration);
      if (data === null) return [];
      const { segments } = compileEventName(declaration.name);
      const sent = segments.map((segment) => segment ?? 'example').join('.');
      return [JSON.parse(messages.create({ event: sent, data }).text) as unknown];
    });
  return { items };
}
