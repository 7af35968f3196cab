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
import { receiverNameOf } from './receiver-name.decorator.js';
import { WebhookReceivers } from './webhook-receivers.js';
import { WebhookRejectedError } from '../schemes/webhook-rejected.error.js';

/** Lets a request pass when its signature is right. */
@Injectable()
export class WebhookReceiverGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(WebhookReceivers) private readonly receivers: WebhookReceivers,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    // Said on the controller and on the route, the decorator brings its guard twice.
    if (webhookOf(context) !== undefined) return true;
    const name = receiverNameOf(this.reflector, context.getHandler(), context.getClass());
    try {
      rememberWebhook(context, this.receivers.verify(name, incomingRequest(context)));
    } catch (error) {
      throw error instanceof WebhookRejectedError ? answerOf(error) : error;
    }
    return true;
  }
}

/** One answer whatever the reason, until the signature is right: then the sender may know what is wrong with the body. */
function answerOf({ reason, explanation }: WebhookRejectedError): Error {
  return reason === 'unreadable-body'
    ? new BadRequestException(`The webhook cannot be read: ${explanation}.`)
    : new UnauthorizedException('The webhook could not be verified.');
}
