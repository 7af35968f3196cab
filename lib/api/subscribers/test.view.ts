import { type Attempt, type OwnerAttempt, ownerView } from '../../delivery/index.js';
import {
  all,
  count,
  integer,
  map,
  nullable,
  oneOf,
  type Schema,
  text,
  time,
  type ValueOf,
} from '../../common/json-schema.js';

/** The result of a request as the owner of the subscriber sees it, without the address of the connection. */
export const ATTEMPT_ANSWER = {
  status: nullable(integer),
  error: nullable(all({ code: text, message: text })),
  startedAt: time,
  duration: nullable(count),
  response: nullable(text),
  answerHeaders: nullable(map(text)),
} satisfies Readonly<Record<keyof OwnerAttempt<string>, Schema>>;

export const TEST_RESULT = all({
  messageId: text,
  deliveryId: text,
  event: text,
  outcome: oneOf(['succeeded', 'failed']),
  ...ATTEMPT_ANSWER,
  response: nullable({ ...text, description: 'The first 16 KiB of the answer' }),
});

export type TestView = ValueOf<typeof TEST_RESULT>;

export function testView(attempt: Attempt): TestView {
  const { startedAt, response, ...answer } = ownerView(attempt);
  return {
    messageId: attempt.messageId,
    deliveryId: attempt.deliveryId,
    event: attempt.event,
    outcome: attempt.outcome,
    ...answer,
    startedAt: new Date(startedAt).toISOString(),
    response: response.length === 0 ? null : response.toString(),
  };
}
