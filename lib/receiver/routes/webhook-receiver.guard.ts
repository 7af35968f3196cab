import {
  BadRequestException,
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { incomingRequest, rememberWebhook, webhookOf } from './incoming-request.js';
import { findReceiverName } from './receiver-name.decorator.js';
import { WebhookReceivers } from './webhook-receivers.js';
import { WebhookRejectedError } from '../schemes/webhook-rejected.error.js';

@Injectable()
export class WebhookReceiverGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(WebhookReceivers) private readonly receivers: WebhookReceivers,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    // The decorator adds the guard twice when it stands on the controller and on the route.
    if (webhookOf(context) !== undefined) return true;
    // The decorator that adds the guard says the name.
    const name = findReceiverName(this.reflector, context.getHandler(), context.getClass())!;
    try {
      rememberWebhook(context, this.receivers.verify(name, incomingRequest(context)));
    } catch (error) {
      throw error instanceof WebhookRejectedError ? answerOf(error) : error;
    }
    return true;
  }
}

/** Gives one response for every reason; only a sender with a valid signature learns what is wrong with its body. */
function answerOf({ reason, explanation }: WebhookRejectedError): Error {
  return reason === 'unreadable-body'
    ? new BadRequestException(`The webhook cannot be read: ${explanation}.`)
    : new UnauthorizedException('The webhook could not be verified.');
}
