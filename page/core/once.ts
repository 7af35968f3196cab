import { ApiError } from './client.js';

/** Sends a form, and says whether what was typed before had already been done. */
export type SendOnce<Answer> = (
  body: object,
) => Promise<{ readonly answer: Answer; readonly isEarlier: boolean }>;

/**
 * Has the API do one thing, however often it is sent: a form that gets no answer may have arrived. What was typed since
 * then is not done as well: the answer is that of what was done.
 *
 * @param send gets the value of `Idempotency-Key`
 */
export function onceOnly<Answer>(
  send: (body: object, key: string) => Promise<Answer>,
): SendOnce<Answer> {
  // crypto.randomUUID() is for pages with https alone.
  const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) =>
    one.toString(16).padStart(2, '0'),
  ).join('');
  const sent: object[] = [];
  return async (body) => {
    try {
      return { answer: await send(body, key), isEarlier: false };
    } catch (error) {
      if (!isReused(error)) {
        sent.push(body);
        throw error;
      }
    }
    for (const one of sent) {
      try {
        return { answer: await send(one, key), isEarlier: true };
      } catch (error) {
        if (!isReused(error)) throw error;
      }
    }
    throw new ApiError(422, { code: 'idempotency-key-reused' });
  };
}

function isReused(error: unknown): boolean {
  return error instanceof ApiError && error.problem.code === 'idempotency-key-reused';
}
