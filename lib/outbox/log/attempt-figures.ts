import { firstIdAt } from '../../common/id.js';
import { InvalidInputError } from '../../errors/index.js';
import { type AttemptCount, countAttempts } from '../tables/delivery-log.js';
import { ANSWER_CLASSES, type AnswerClass, answerClassOf } from '../tables/delivery-record.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { everythingOf } from './log-scan.js';
import { byBucket, countedSince, LOG_BOUNDS, lookInSteps, type StepBounds } from './log-steps.js';
import { DAY } from '../retention/retention-pass.js';

/** The time that figures are made of. */
export interface AttemptFiguresQuery {
  /** Id of a subscriber; default all. */
  readonly subscriberId?: string;
  /** Default `hour`. */
  readonly by?: 'hour' | 'day';
  /** From then on; default a day ago, by day 30 days ago. */
  readonly since?: Date;
  /** Before then; default now. */
  readonly until?: Date;
}

/** Figures of attempts. */
export interface AttemptFigures {
  readonly attempts: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Attempts by the kind of their answer. */
  readonly answers: Readonly<Record<Exclude<AnswerClass, 'none'>, number>>;
  /** Median and 95th percentile of the durations of answered attempts, in milliseconds; null without one. */
  readonly p50: number | null;
  readonly p95: number | null;
}

/** {@link AttemptFigures} of the attempts that began in an hour or on a day in UTC. */
export interface AttemptFiguresItem extends AttemptFigures {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** False where not all deliveries were counted. */
  readonly isComplete: boolean;
}

/** Attempts of the deliveries of a time. Times are milliseconds since the Unix epoch. */
export interface AttemptHistory {
  readonly by: 'hour' | 'day';
  readonly since: number;
  readonly until: number;
  /** Deliveries from then on were counted; later than `since` where there are too many. */
  readonly countedSince: number;
  readonly total: AttemptFigures;
  /** Every hour or day, the oldest first. */
  readonly items: readonly AttemptFiguresItem[];
}

const HOUR = 60 * 60_000;
const MOST_ITEMS = 400;

/** The time to make figures of, with its defaults. */
export interface FiguresRange extends Pick<AttemptHistory, 'by' | 'since' | 'until'> {
  readonly step: number;
}

/** @throws {@link InvalidInputError} naming the field */
export function figuresRange(query: AttemptFiguresQuery, now: number): FiguresRange {
  const { by = 'hour' } = query;
  const step = by === 'hour' ? HOUR : DAY;
  const until = query.until?.getTime() ?? now + 1;
  const first = query.since?.getTime() ?? until - (by === 'hour' ? DAY : 30 * DAY);
  const since = first - (first % step);
  if (until <= first) {
    throw query.until === undefined
      ? new InvalidInputError('since', 'must be in the past', { reason: 'not-in-the-past' })
      : new InvalidInputError('until', 'must be after since', { reason: 'not-after-since' });
  }
  if ((until - since) / step > MOST_ITEMS) {
    const reason = `must be at most ${MOST_ITEMS} ${by}s before until`;
    throw new InvalidInputError('since', reason);
  }
  return { by, since, until, step };
}

/**
 * Counts the attempts of the deliveries that were created in a time, the newest first and up to a limit.
 *
 * @param subscribers undefined for all
 */
export async function attemptFigures(
  store: OutboxStore,
  subscribers: readonly string[] | undefined,
  range: FiguresRange,
): Promise<AttemptHistory> {
  return (await countedAttempts(store, subscribers, range)).history;
}

/**
 * As {@link attemptFigures}, with the rows that were counted.
 *
 * @param isBySubscriber true: each row is of one subscriber
 */
export async function countedAttempts(
  store: OutboxStore,
  subscribers: readonly string[] | undefined,
  range: FiguresRange,
  isBySubscriber = false,
  bounds: StepBounds = LOG_BOUNDS,
): Promise<{ readonly history: AttemptHistory; readonly rows: readonly AttemptCount[] }> {
  // Somebody without subscribers has no branches to look along.
  const counted =
    subscribers?.length === 0
      ? { rows: [], since: range.since }
      : await countIn(store, subscribers, range, isBySubscriber, bounds);
  const complete = Math.max(range.since, counted.since);
  const byTime = byBucket(counted.rows);
  const items: AttemptFiguresItem[] = [];
  for (let at = range.since; at < range.until; at += range.step) {
    items.push({ at, isComplete: at >= complete, ...attemptFiguresOf(byTime.get(at) ?? []) });
  }
  const { by, since, until } = range;
  const rows = items.flatMap(({ at }) => byTime.get(at) ?? []);
  const total = attemptFiguresOf(rows);
  return { history: { by, since, until, countedSince: complete, total, items }, rows };
}

async function countIn(
  store: OutboxStore,
  subscribers: readonly string[] | undefined,
  { since, until, step }: FiguresRange,
  isBySubscriber: boolean,
  bounds: StepBounds,
): Promise<{ readonly rows: readonly AttemptCount[]; readonly since: number }> {
  const range = { from: firstIdAt('dlv_', since), before: firstIdAt('dlv_', until) };
  const { branches, filters } = everythingOf(store, subscribers);
  const rows: AttemptCount[] = [];
  const lowestId = await lookInSteps(store, branches, range, bounds, async (part) => {
    const counting = countAttempts(store, branches, filters, part, step, isBySubscriber);
    rows.push(...(await store.database.run(counting)).rows);
  });
  return { rows, since: countedSince(lowestId, since) };
}

/** Figures of attempts, from rows of {@link countAttempts}. */
export function attemptFiguresOf(rows: readonly AttemptCount[]): AttemptFigures {
  const answers = Object.fromEntries(
    ANSWER_CLASSES.filter((one) => one !== 'none').map((one) => [one, 0]),
  ) as Record<Exclude<AnswerClass, 'none'>, number>;
  const durations = new Map<number, number>();
  let attempts = 0;
  for (const row of rows) {
    const amount = Number(row.amount);
    answers[answerOf(row)] += amount;
    attempts += amount;
    if (row.status === null) continue;
    const duration = Number(row.duration);
    durations.set(duration, (durations.get(duration) ?? 0) + amount);
  }
  const sorted = [...durations]
    .sort(([one], [other]) => one - other)
    .map(([duration, amount]) => ({ duration, amount }));
  return {
    attempts,
    succeeded: answers['2xx'],
    failed: attempts - answers['2xx'],
    answers,
    p50: percentile(sorted, 50),
    p95: percentile(sorted, 95),
  };
}

/** The kind of the answers to attempts of a row. */
export function answerOf({
  status,
  error_code: error,
}: AttemptCount): Exclude<AnswerClass, 'none'> {
  const kind = answerClassOf(status === null ? null : Number(status), error);
  // An attempt that was not kept, of a delivery that has succeeded.
  return kind === 'none' ? '2xx' : kind;
}

interface Duration {
  readonly duration: number;
  readonly amount: number;
}

/** The shortest duration that `percent` of 100 requests do not exceed; null without requests. */
function percentile(sorted: readonly Duration[], percent: number): number | null {
  const all = sorted.reduce((sum, { amount }) => sum + amount, 0);
  let rank = 0;
  for (const { duration, amount } of sorted) {
    rank += amount;
    if (rank * 100 >= all * percent) return duration;
  }
  return null;
}
