import {
  type CallHandler,
  ConflictException,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { finalize, from, lastValueFrom, type Observable, of } from 'rxjs';
import { interceptedWebhook } from './incoming-request.js';
import { type ProcessingAttempt, ProcessingAttempts } from '../processing/processing-attempts.js';
import type { VerifiedWebhook } from './webhook-verifier.js';
import { WebhookReceiverEvents } from './webhook-receiver-events.js';

const RETRY_AFTER_SECONDS = '10';

/** Runs the handler of each message once and, if that is asked for, in the order of its key. */
@Injectable()
export class WebhookReceiverInterceptor implements NestInterceptor {
  constructor(
    private readonly attempts: ProcessingAttempts,
    private readonly events: WebhookReceiverEvents,
    private readonly host: HttpAdapterHost,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const webhook = interceptedWebhook(context);
    return webhook === undefined ? next.handle() : this.#once(webhook, context, next);
  }

  async #once(
    webhook: VerifiedWebhook,
    context: ExecutionContext,
    next: CallHandler,
  ): Promise<Observable<unknown>> {
    const { receiver, id, event } = webhook;
    const attempt = await this.attempts.ofMessage(receiver, id);
    if (attempt.state === 'claimed') return this.#inOrder(webhook, attempt, context, next);
    this.events.emit('duplicate', { receiver, id, event, state: attempt.state });
    if (attempt.state === 'processed') return of(undefined);
    return this.#refuse(context, 'This webhook is being processed; try again later.');
  }

  async #inOrder(
    webhook: VerifiedWebhook,
    attempt: ProcessingAttempt,
    context: ExecutionContext,
    next: CallHandler,
  ): Promise<Observable<unknown>> {
    const { receiver, id, event, order } = webhook;
    const ofKey = await this.attempts.ofKey(receiver, order).catch(async (error: unknown) => {
      await attempt.release();
      throw error;
    });
    if (ofKey.state === 'in-progress') {
      await attempt.release();
      return this.#refuse(
        context,
        'Another webhook of its key is being processed; try again later.',
      );
    }
    if (ofKey.state === 'processed') {
      const { key, sequence } = order!;
      this.events.emit('older', { receiver, id, event, key, sequence });
      if (this.attempts.dropsOlder) {
        await attempt.complete();
        return of(undefined);
      }
    }
    this.events.emit('accepted', { receiver, id, event });
    const attempts = ofKey.state === 'processed' ? [attempt] : [ofKey, attempt];
    return recorded(next.handle(), attempts, () => isSuccess(context));
  }

  #refuse(context: ExecutionContext, reason: string): never {
    const response = context.switchToHttp().getResponse<unknown>();
    this.host.httpAdapter.setHeader(response, 'Retry-After', RETRY_AFTER_SECONDS);
    throw new ConflictException(reason);
  }
}

/**
 * Passes on the handler's result once its success or failure is recorded: a response must not precede the record. The
 * handler is not stopped when an interceptor of the application answers before it, by a timeout; its end still counts.
 */
function recorded(
  answer: Observable<unknown>,
  attempts: readonly Pick<ProcessingAttempt, 'complete' | 'release'>[],
  isSuccess: () => boolean,
): Observable<unknown> {
  let isAnswered = false;
  const handle = async () => {
    try {
      const value = await lastValueFrom(answer, { defaultValue: undefined });
      // The status of an answer that is not the handler's says nothing about the handler.
      const isDone = isAnswered || isSuccess();
      for (const attempt of attempts) await (isDone ? attempt.complete() : attempt.release());
      return value;
    } catch (error) {
      for (const attempt of attempts) await attempt.release();
      throw error;
    }
  };
  const handled = handle();
  // The response was sent already, so no caller is left to get the error.
  handled.catch(() => {});
  return from(handled).pipe(finalize(() => (isAnswered = true)));
}

/** Judges by the status: a handler may ask for the next attempt without throwing. */
function isSuccess(context: ExecutionContext): boolean {
  const { statusCode } = context.switchToHttp().getResponse<{ statusCode?: number }>();
  return statusCode === undefined || statusCode < 300;
}
