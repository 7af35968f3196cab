/**
 * Waits for the server's answer.
 *
 * @throws Error after `milliseconds` without an answer
 */
export function orTimeout<Value>(milliseconds: number, answer: Promise<Value>): Promise<Value> {
  return withTimeout(milliseconds, answer, () => {
    throw new Error(`no answer within ${milliseconds} ms`);
  });
}

const ENDS_WITHIN = 1000;

/** Waits a second at most for work that an ending application has begun: the database may never answer, and others wait. */
export function endedSoon(work: Promise<void>): Promise<void> {
  return withTimeout(ENDS_WITHIN, work, () => undefined);
}

/**
 * Resolves or rejects as the work does, as long as it takes no longer.
 *
 * @param late what there is, or is thrown, when the time is up; the work goes on unattended
 */
export async function withTimeout<Value>(
  milliseconds: number,
  work: Promise<Value>,
  late: () => Value,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  return Promise.race([work, timeout.then(late)]).finally(() => clearTimeout(timer));
}
