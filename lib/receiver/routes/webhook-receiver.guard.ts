import { Reflector } from '@nestjs/core';
import {
  BadRequestException,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { incomingRequest, rememberWebhook, webhookOf } from './incoming-request.js';
import { WebhookReceivers } from './webhook-receivers.js';
import { WebhookRejectedError } from '../schemes/signed-request.js';

/** Names the receiver that verifies the requests of a controller or a route. */
export const ReceiverName = Reflector.createDecorator<string>();

type Target = Parameters<Reflector['get']>[1];

/** Returns the name on the route, else on its controller; undefined when neither has one. */
export function findReceiverName(
  reflector: Reflector,
  route: Target,
  controller: Target,
): string | undefined {
  return reflector.getAllAndOverride(ReceiverName, [route, controller]);
}

@Injectable()
export class WebhookReceiverGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly receivers: WebhookReceivers,
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

/** Gives the same response for every reason. Only a sender with a valid signature learns why its body was refused. */
function answerOf({ reason, explanation }: WebhookRejectedError): Error {
  return reason === 'unreadable-body'
    ? new BadRequestException(`The webhook cannot be read: ${explanation}.`)
    : new UnauthorizedException('The webhook could not be verified.');
}
