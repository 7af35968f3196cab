import { errorText } from '../common/log.js';
import { RecipientRefusedError } from '../errors/index.js';
import type { Message } from '../message/message.js';
import type { Recipient } from '../message/recipient.js';
import { AttemptError, type Attempt } from './attempt/attempt.js';
import type { AnswerHeaders } from './attempt/answer-headers.js';
import type { WebhookResponse } from './http/webhook-http-client.js';

const NO_ANSWER: Buffer = Buffer.alloc(0);

/** The context of an attempt. */
export interface AttemptFrame {
  readonly delivery: string;
  readonly message: Message;
  readonly recipient: Recipient;
  readonly startedAt: number;
  /** Additional headers. */
  readonly tracing: Readonly<Record<string, string>> | undefined;
  readonly bounds?: AttemptBounds | undefined;
}

/** Limits of an attempt besides its timeout: after them, another process may make the same attempt. */
export interface AttemptBounds {
  /** Returns the milliseconds that are left; they may grow meanwhile. */
  readonly timeLeft: () => number;
}

/** The attempt of a request that was answered: any 2xx has succeeded. */
export function answeredAttempt(
  frame: AttemptFrame,
  answer: WebhookResponse,
  now: number,
  kept: AnswerHeaders,
): Attempt {
  const { status, body, address } = answer;
  const isSuccess = status >= 200 && status < 300;
  return attemptOf(frame, now, {
    outcome: isSuccess ? 'succeeded' : 'failed',
    status,
    error: null,
    response: body,
    answerHeaders: kept.kept(answer, isSuccess),
    retryAfter: isSuccess ? null : first(answer.headers['retry-after']),
    address,
  });
}

/** The attempt of a request that was not made or not answered. */
export function failedAttempt(frame: AttemptFrame, cause: unknown, now: number): Attempt {
  return attemptOf(frame, now, {
    outcome: 'failed',
    status: null,
    ...describeFailure(cause),
    response: NO_ANSWER,
    answerHeaders: null,
    retryAfter: null,
  });
}

function attemptOf(
  { delivery, message, recipient, startedAt }: AttemptFrame,
  now: number,
  result: Pick<
    Attempt,
    'outcome' | 'status' | 'error' | 'response' | 'answerHeaders' | 'retryAfter' | 'address'
  >,
): Attempt {
  return {
    deliveryId: delivery,
    messageId: message.id,
    event: message.event,
    subscriberId: recipient.id,
    outcome: result.outcome,
    status: result.status,
    error: result.error,
    startedAt,
    duration: Math.max(0, now - startedAt),
    response: result.response,
    answerHeaders: result.answerHeaders,
    retryAfter: result.retryAfter,
    address: result.address,
  };
}

function describeFailure(
  cause: unknown,
): Pick<Attempt, 'address'> & { error: NonNullable<Attempt['error']> } {
  if (cause instanceof RecipientRefusedError) {
    const error = { code: 'recipient-refused' as const, message: cause.message };
    return { error, address: text(cause.data['address']) };
  }
  if (cause instanceof AttemptError) {
    const error = { code: cause.reason, message: cause.message };
    return { error, address: text(cause.data['address']) };
  }
  const name = cause instanceof Error ? `${cause.name}: ` : '';
  return { error: { code: 'internal', message: name + errorText(cause) }, address: null };
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function first(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
