import type { HttpException } from '@nestjs/common';
import type { CancelResult } from '../../outbox/index.js';
import { all, count, flag, list, nullable, text, type ValueOf } from '../../common/json-schema.js';
import { problem } from '../problems/problem.js';
import type { ProblemCode } from '../problems/problem-codes.js';
import type { RecentRetries, RequestedRetry } from './recent-retries.js';

const RETRY_PROBLEMS = {
  'under-way': ['delivery-under-way', 'An attempt of this delivery is under way'],
  resent: ['delivery-resent', 'This delivery was resent within the last minute'],
  expunged: ['message-expunged', 'The body of its message was dropped: nothing is left to send'],
  disabled: ['subscriber-disabled', 'Its subscriber is disabled, has expired or is removed'],
} as const satisfies Readonly<Record<Exclude<RequestedRetry, 'scheduled'>, readonly string[]>>;

export function retryRefused(result: Exclude<RequestedRetry, 'scheduled'>): HttpException {
  const [code, detail] = RETRY_PROBLEMS[result];
  return problem(code, detail);
}

/**
 * The results of retrying a selection of deliveries, in the order of the request. A `code` is the code of the problem
 * that a retry of this single delivery would get.
 */
export const SELECTED_RETRIES = all({
  items: list(
    all({
      id: text,
      retried: flag,
      code: nullable({ ...text, description: 'The problem that kept it from being retried' }),
    }),
  ),
  retried: count,
});

export type SelectedRetriesView = ValueOf<typeof SELECTED_RETRIES>;

export function selectedRetriesView(
  results: Awaited<ReturnType<RecentRetries['retrySelected']>>,
): SelectedRetriesView {
  const items = results.map(({ id, result }) => ({
    id,
    retried: result === 'scheduled',
    code: retryCode(result),
  }));
  return { items, retried: items.filter(({ retried }) => retried).length };
}

function retryCode(result: RequestedRetry | null): ProblemCode | null {
  if (result === null) return 'not-found';
  return result === 'scheduled' ? null : RETRY_PROBLEMS[result][0];
}

export function cancelRefused(result: Exclude<CancelResult, 'cancelled'>): HttpException {
  return result === 'finished'
    ? problem('delivery-finished', 'This delivery has ended: nothing is left to cancel')
    : problem('delivery-under-way', 'An attempt of this delivery is under way');
}
