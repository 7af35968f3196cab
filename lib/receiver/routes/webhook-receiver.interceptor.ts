import {
  type CallHandler,
  ConflictException,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Observable, catchError, concatMap, defaultIfEmpty, from, of, takeLast } from 'rxjs';
import { webhookOf } from './incoming-request.js';
import { type MessageTurn, MessageDeduplicator } from '../deduplication/message-deduplicator.js';
import type { VerifiedWebhook } from '../verification/verified-webhook.js';
import { WebhookReceiverEvents } from './webhook-receiver-events.js';

const RETRY_AFTER_SECONDS = '10';

/** Lets each message be handled once. */
@Injectable()
export class WebhookReceiverInterceptor implements NestInterceptor {
  constructor(
    @Inject(MessageDeduplicator) private readonly turns: MessageDeduplicator,
    @Inject(WebhookReceiverEvents) private readonly events: WebhookReceiverEvents,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const webhook = webhookOf(context);
    return webhook === undefined || isRepeatedInterceptor(webhook)
      ? next.handle()
      : this.#inTurn(webhook, context, next);
  }

  async #inTurn(
    webhook: VerifiedWebhook,
    context: ExecutionContext,
    next: CallHandler,
  ): Promise<Observable<unknown>> {
    const { receiver, id, event } = webhook;
    const turn = await this.turns.begin(webhook);
    if (turn.state === 'claimed') {
      this.events.emit('accepted', { receiver, id, event });
      return settled(next.handle(), turn, () => isSuccess(context));
    }
    this.events.emit('duplicate', { receiver, id, event, state: turn.state });
    if (turn.state === 'processed') return of(undefined);
    const response = context.switchToHttp().getResponse<unknown>();
    this.host.httpAdapter.setHeader(response, 'Retry-After', RETRY_AFTER_SECONDS);
    throw new ConflictException('This webhook is being processed; try again later.');
  }
}

// Shared by all instances: every controller's module has its own.
const intercepted = new WeakSet<VerifiedWebhook>();

/** Said on the controller and on the route, the decorator brings its interceptor twice. */
function isRepeatedInterceptor(webhook: VerifiedWebhook): boolean {
  if (intercepted.has(webhook)) return true;
  intercepted.add(webhook);
  return false;
}

/** What the handler answers, after it is recorded: an answer that says done must not come before the record of it. */
function settled(
  answer: Observable<unknown>,
  turn: MessageTurn,
  isSuccess: () => boolean,
): Observable<unknown> {
  return answer.pipe(
    defaultIfEmpty(undefined),
    takeLast(1),
    concatMap(async (value) => {
      await (isSuccess() ? turn.complete() : turn.release());
      return value;
    }),
    catchError((error: unknown) =>
      from(turn.release()).pipe(
        concatMap(() => {
          throw error;
        }),
      ),
    ),
  );
}

/** Without a throw, a handler says by its status that it wants the next try. */
function isSuccess(context: ExecutionContext): boolean {
  const { statusCode } = context.switchToHttp().getResponse<{ statusCode?: number }>();
  return statusCode === undefined || statusCode < 300;
}
