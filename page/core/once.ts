import { ApiError } from './client.js';

/** Sends a form. The result tells whether the API had already done an earlier version of the form. */
export type SendOnce<Answer> = (
  body: object,
) => Promise<{ readonly answer: Answer; readonly isEarlier: boolean }>;

/**
 * Makes the API do a request once, even if the user sends the form several times, since a request without an answer may
 * have arrived. When the user has changed the form in between, the change is not done: the answer belongs to the first
 * request.
 *
 * @param send gets the value of `Idempotency-Key`
 */
export function onceOnly<Answer>(
  send: (body: object, key: string) => Promise<Answer>,
): SendOnce<Answer> {
  // crypto.randomUUID() exists only on pages with https.
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
