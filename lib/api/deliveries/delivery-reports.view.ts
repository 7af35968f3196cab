import { ANSWER_CLASSES, type AnswerClass, type AttemptHistory } from '../../outbox/index.js';
import {
  all,
  count,
  flag,
  list,
  nullable,
  oneOf,
  type Schema,
  text,
  time,
  type ValueOf,
} from '../../common/json-schema.js';
import { isoOf } from '../http/iso-time.js';
import { WARNINGS } from '../subscribers/subscriber.view.js';

export const SENT_REQUEST = all({
  deliveryId: text,
  messageId: text,
  event: text,
  method: oneOf(['POST']),
  url: nullable(text),
  contentType: nullable(text),
  body: nullable(text),
  bodyEncoding: oneOf(['utf8', 'base64']),
  missing: {
    ...list(all({ field: text, code: text, reason: text })),
    description: 'The parts that are not shown, and why',
  },
});

const ANSWERS = Object.fromEntries(
  ANSWER_CLASSES.filter((kind) => kind !== 'none').map((kind) => [kind, count]),
) as Record<Exclude<AnswerClass, 'none'>, Schema<number>>;
const FIGURES = {
  attempts: count,
  succeeded: count,
  failed: count,
  answers: all(ANSWERS),
  p50: nullable(count),
  p95: nullable(count),
};

/** Figures of attempts by hour or day, for a plot. Owners get times as texts, operators get times as numbers. */
function attemptHistory<Time>(time: Schema<Time>) {
  return all({
    by: oneOf(['hour', 'day']),
    since: time,
    until: time,
    countedSince: { ...time, description: 'Deliveries from then on were counted' },
    total: all(FIGURES),
    items: list(all({ at: time, isComplete: flag, ...FIGURES })),
  });
}

export const ATTEMPT_HISTORY = attemptHistory(time);
export const OPERATOR_ATTEMPT_HISTORY: Schema<AttemptHistory> = attemptHistory(count);

export const FILTER_PREVIEW_RESULT = all({
  items: list(all({ messageId: text, event: text, time, passes: flag })),
  passed: count,
  warnings: WARNINGS,
});

export type AttemptHistoryView = ValueOf<typeof ATTEMPT_HISTORY>;
export type SentRequestView = ValueOf<typeof SENT_REQUEST>;
export type FilterPreviewView = ValueOf<typeof FILTER_PREVIEW_RESULT>;

export function attemptHistoryView({
  by,
  since,
  until,
  countedSince,
  total,
  items,
}: AttemptHistory): AttemptHistoryView {
  return {
    by,
    since: isoOf(since),
    until: isoOf(until),
    countedSince: isoOf(countedSince),
    total,
    items: items.map((item) => ({ ...item, at: isoOf(item.at) })),
  };
}
