/**
 * The answer to the latest attempt of a delivery. `timeout`: none in time. `error`: none for another reason. `none`: no
 * attempt yet, or an attempt that the log has not kept.
 */
export type AnswerClass = '2xx' | '3xx' | '4xx' | '5xx' | 'timeout' | 'error' | 'none';

/** All classes of answers. */
export const ANSWER_CLASSES: readonly AnswerClass[] = [
  ...(['2xx', '3xx', '4xx', '5xx'] as const),
  ...(['timeout', 'error', 'none'] as const),
];

/** Finds the class of an answer. @param isSucceeded true: the delivery has succeeded, whatever is kept of its attempt */
export function answerClassOf(
  status: number | null,
  errorCode: string | null,
  isSucceeded = false,
): AnswerClass {
  if (isSucceeded) return '2xx';
  if (errorCode !== null) return errorCode === 'timeout' ? 'timeout' : 'error';
  if (status === null) return 'none';
  const hundreds = Math.floor(status / 100);
  return hundreds >= 2 && hundreds <= 5 ? (`${hundreds}xx` as AnswerClass) : 'error';
}
