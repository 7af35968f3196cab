import type { ShownAttempt } from './deliveries.js';

/** What an attempt's answer differs in from the attempt before it. */
export type Change = 'status' | 'error' | 'body' | 'headers';

/** Headers that differ in every answer, and say nothing. */
const ALWAYS_OTHERS = new Set(['date', 'x-request-id', 'request-id', 'cf-ray', 'age', 'etag']);

/** Names what changed from one attempt to the next. An empty list: the answer was the same. */
export function changesOf(before: ShownAttempt, attempt: ShownAttempt): readonly Change[] {
  const changes: Change[] = [];
  if (before.status !== attempt.status) changes.push('status');
  if (before.error?.code !== attempt.error?.code) changes.push('error');
  if (before.response !== attempt.response) changes.push('body');
  if (telling(before) !== telling(attempt)) changes.push('headers');
  return changes;
}

function telling({ answerHeaders }: ShownAttempt): string {
  const kept = Object.entries(answerHeaders ?? {}).filter(([name]) => !ALWAYS_OTHERS.has(name));
  return JSON.stringify(kept.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
